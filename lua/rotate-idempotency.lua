#!lua flags=allow-oom
--[[
Turns the ring of idempotency records when its current slot is full of time: the oldest slot is emptied, as a whole
and in the background, and becomes the current one. Called often by any number of processes; one of them does it.

KEYS
  1 idempotency  string  "slot since": the current slot, and since when (ms since 1970)
  2 slot         hash    slots 1 to 6 are keys 2 to 7
  3 slot         hash
  4 slot         hash
  5 slot         hash
  6 slot         hash
  7 slot         hash

ARGV
  1 clock  integer  ms since 1970
  2 width  integer  ms that a slot is current

REPLY integer: 1 if it turned, 0 if it was not time yet.

ERRORS (nothing is changed): MALFORMED.

COST GET, and when it turns UNLINK and SET: the slot's memory is freed by a background thread.
]]
local now, width = tonumber(string.match(ARGV[1] or '', '^%d+$')), tonumber(string.match(ARGV[2] or '', '^%d+$'))
if not now or not width then
  return redis.error_reply('MALFORMED clock or width is not a whole number')
end
local slots = { KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7] }
local slot, since = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
if not slot then
  redis.call('SET', KEYS[1], string.format('1 %d', now))
  return 0
end
if now - tonumber(since) < width then
  return 0
end
local next_slot = tonumber(slot) % #slots + 1
redis.call('UNLINK', slots[next_slot])
redis.call('SET', KEYS[1], string.format('%d %d', next_slot, now))
return 1
