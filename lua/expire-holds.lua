#!lua
--[[
Ends holds whose time is over, the longest overdue first, and gives their units back.

KEYS
  1 epoch    string  the epoch in force
  2 lane     string  this caller's last sequence and reply
  3 journal  stream  one entry is appended if any hold ends
  4 levels   hash    level field -> units available
  5 holds    zset    order place -> when its hold ends, ms since 1970
  6 held     hash    order place -> MessagePack [sku, quantity, ...]
  7 settled  hash    order place -> "status epoch-sequence", until MariaDB has it

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua); holds that end at its clock or before are over

REPLY MessagePack array
  [1] sequence  integer  of the journal entry within the epoch; -1 when no hold was over
  [2] ended     integer  holds that were ended
  [3] more      integer  1 when others are over still: call again

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, CORRUPT.

COST at most 8 commands and 2 for epoch and lane, whatever the batch: ZRANGEBYSCORE, HMGET x 2, XADD, HSET x 2, ZREM, HDEL; MGET,
  SET. At most 256 orders and, past the first, 3,900 lines.
]]
--@include envelope
--@include stock
--@include settlement

local MAX_ORDERS, MAX_LINES = 256, 3900

local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', string.format('%d', now), 'LIMIT', 0, MAX_ORDERS + 1)
local held = #due > 0 and redis.call('HMGET', KEYS[6], unpack(due)) or {}
local settlements, lines = {}, 0
for index = 1, math.min(#due, MAX_ORDERS) do
  if not held[index] then
    return refuse('CORRUPT', 'the hold of ' .. due[index] .. ' has no lines')
  end
  local units = cmsgpack.unpack(held[index])
  lines = lines + #units / 2
  if lines > MAX_LINES then
    break
  end
  settlements[#settlements + 1] = { due[index], 'expired', units }
end

local entry_sequence = -1
if #settlements > 0 then
  local missing
  entry_sequence, missing = settle(settlements)
  if not entry_sequence then
    return refuse('CORRUPT', 'the level of "' .. missing .. '" is missing')
  end
end
return answer({ entry_sequence, #settlements, #due > #settlements and 1 or 0 })
