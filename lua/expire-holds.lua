#!lua
--[[
Ends holds whose time is over, the longest overdue first, and gives their units back.

KEYS
  1 epoch    string  the epoch in force
  2 lane     string  this caller's last sequence and reply
  3 journal  stream  one entry is appended if any hold ends
  4 levels   hash    level field -> units available
  5 holds    zset    order place -> when its hold ends, ms since 1970
  6 held     hash    order place -> MessagePack [user, units], units flat: level field, quantity, ...
  7 settled  hash    order place -> "status epoch-sequence", until MariaDB has it
  8 offers   hash    sku -> the offer of an open event (lua/fragments/offers.lua)
  9 counts   hash    opening, sku and user -> units in live orders (lua/fragments/offers.lua)

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] skip  integer  holds that are over and are not looked at, from the longest overdue on: those that were set aside
                       before; holds that end at the envelope's clock or before are over

REPLY MessagePack array
  [1] sequence   integer  of the journal entry within the epoch; -1 when no hold was ended
  [2] ended      integer  holds that were ended
  [3] more       integer  1 when others are over still: call again, and skip what was set aside
  [4] set_aside  strings  the places of holds that cannot be ended because their record here, or the level of one of their
                          lines, is missing or spoilt; they stay as they are

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 8 commands and 2 for epoch and lane, whatever the batch: ZRANGEBYSCORE, HMGET x 2, XADD, HSET x 2, ZREM, HDEL; MGET,
  SET. For units of sale events: HMGET x 2, HSET, HDEL. At most 256 holds and 3,900 lines; what is skipped is counted through, at a few ns each.
]]
--@include envelope
--@include stock
--@include offers
--@include settlement

local MAX_HOLDS, MAX_LINES = 256, 3900

local skip = request[5]
if not is_integer(skip, 0, 4294967295) then
  return refuse('MALFORMED', 'the holds to skip are not a whole number')
end

local over = string.format('%d', now)
local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', over, 'LIMIT', string.format('%d', skip), MAX_HOLDS + 1)
local held = #due > 0 and redis.call('HMGET', KEYS[6], unpack(due)) or {}

-- Which of them this call looks at. More lines than a call can give back at all are no order's.
local orders, readable, looked_at, lines = {}, {}, 0, 0
for index = 1, math.min(#due, MAX_HOLDS) do
  local units, user = unpack_held(held[index])
  if units and is_place(due[index]) and #units / 2 <= MAX_LINES then
    if lines + #units / 2 > MAX_LINES then
      break
    end
    lines = lines + #units / 2
    orders[index] = { place = due[index], units = units, user = user }
    readable[#readable + 1] = orders[index]
  end
  looked_at = index
end
read_stock(readable)

local set_aside = {}
for index = 1, looked_at do
  if not settle(due[index], 'expired', orders[index], '') then
    set_aside[#set_aside + 1] = due[index]
  end
end
return answer({ write_settlements({}), #settlements, #due > looked_at and 1 or 0, set_aside })
