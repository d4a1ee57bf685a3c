#!lua
--[[
Drops journal entries that MariaDB has committed, but none that a reader has pinned.

KEYS
  1 journal  stream
  2 pins     hash     reader -> "epoch-sequence until": entries after this id are still needed, until this time (ms)

ARGV
  1 epoch     integer  of the last entry that MariaDB has committed
  2 sequence  integer  of the same
  3 clock     integer  ms since 1970: pins that lapsed are dropped

REPLY integer: entries dropped.

ERRORS (nothing is changed): MALFORMED.

COST HGETALL of a handful of pins, HDEL, XTRIM: linear in the entries dropped.
]]
local function parse(text)
  return tonumber(string.match(text or '', '^%d+$'))
end

local epoch, sequence, now = parse(ARGV[1]), parse(ARGV[2]), parse(ARGV[3])
if not epoch or not sequence or not now then
  return redis.error_reply('MALFORMED epoch, sequence or clock is not a whole number')
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
return redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%d-%d', epoch, sequence + 1))
