#!lua flags=allow-oom
--[[
Drops journal entries that MariaDB has committed, but none that a reader has pinned; and with them the marks of the
orders that they settled: from now on MariaDB tells their status.

KEYS
  1 journal  stream
  2 pins     hash     reader -> "epoch-sequence until": entries after this id are still needed, until this time (ms)
  3 settled  hash     order place -> "status epoch-sequence", until MariaDB has it
  4 forgotten string  "epoch-sequence": the newest entry whose marks were dropped

ARGV
  1 epoch     integer  of the last entry that MariaDB has committed
  2 sequence  integer  of the same
  3 clock     integer  ms since 1970: pins that lapsed are dropped
  4 settled   MessagePack array, flat: epoch, sequence, place, ... of the orders that committed entries settled

REPLY string "epoch-sequence": how far it is trimmed now, which a pin may hold back.

ERRORS (nothing is changed): MALFORMED.

COST HGETALL of a handful of pins, HDEL x 2, XTRIM, HMGET, GET, SET: linear in the entries dropped.
]]
local function parse(text)
  return tonumber(string.match(text or '', '^%d+$'))
end

local epoch, sequence, now = parse(ARGV[1]), parse(ARGV[2]), parse(ARGV[3])
local unpacked, settled = pcall(cmsgpack.unpack, ARGV[4] or '')
if not epoch or not sequence or not now or not unpacked or type(settled) ~= 'table' then
  return redis.error_reply('MALFORMED epoch, sequence or clock is not a whole number, or settled is not an array')
end

local pins = redis.call('HGETALL', KEYS[2])
local lapsed = {}
for at = 1, #pins, 2 do
  local pinned_epoch, pinned_sequence, expiry = string.match(pins[at + 1], '^(%d+)-(%d+) (%d+)$')
  pinned_epoch, pinned_sequence = tonumber(pinned_epoch), tonumber(pinned_sequence)
  if not pinned_epoch or tonumber(expiry) <= now then
    lapsed[#lapsed + 1] = pins[at]
  elseif pinned_epoch < epoch or (pinned_epoch == epoch and pinned_sequence < sequence) then
    epoch, sequence = pinned_epoch, pinned_sequence
  end
end
if #lapsed > 0 then
  redis.call('HDEL', KEYS[2], unpack(lapsed))
end
redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%d-%d', epoch, sequence + 1))

local function is_trimmed(its_epoch, its_sequence)
  return its_epoch < epoch or (its_epoch == epoch and its_sequence <= sequence)
end
local places = {}
local forgotten_epoch, forgotten_sequence = string.match(redis.call('GET', KEYS[4]) or '0-0', '^(%d+)-(%d+)$')
forgotten_epoch, forgotten_sequence = tonumber(forgotten_epoch), tonumber(forgotten_sequence)
for at = 1, #settled, 3 do
  if is_trimmed(settled[at], settled[at + 1]) then
    places[#places + 1] = settled[at + 2]
  end
end
-- A mark may have been overwritten since by a later settlement, which MariaDB does not have: that one stays.
local function drop_marks(first, last)
  local marks, dropped = redis.call('HMGET', KEYS[3], unpack(places, first, last)), {}
  for at, mark in ipairs(marks) do
    local its_epoch, its_sequence = string.match(mark or '', ' (%d+)-(%d+)$')
    its_epoch, its_sequence = tonumber(its_epoch), tonumber(its_sequence)
    if its_epoch and is_trimmed(its_epoch, its_sequence) then
      dropped[#dropped + 1] = places[first + at - 1]
      if its_epoch > forgotten_epoch or (its_epoch == forgotten_epoch and its_sequence > forgotten_sequence) then
        forgotten_epoch, forgotten_sequence = its_epoch, its_sequence
      end
    end
  end
  if #dropped > 0 then
    redis.call('HDEL', KEYS[3], unpack(dropped))
  end
end
for first = 1, #places, 1000 do
  drop_marks(first, math.min(first + 999, #places))
end
if #places > 0 then
  redis.call('SET', KEYS[4], string.format('%d-%d', forgotten_epoch, forgotten_sequence))
end
return string.format('%d-%d', epoch, sequence)
