#!lua
--[[
Corrects levels by signed numbers of units, each with a reason: goods that came in, broke, were counted again. Each
adjustment is made whole or not at all, in the order given; no level goes below zero.

KEYS
  1 epoch      string   the epoch in force
  2 lane       string   this caller's last sequence and reply
  3 journal    stream   one entry is appended if anything changes
  4 levels     hash     level field -> units available
  5 prices     hash     sku -> minor units of the currency; a sku is known exactly if it is here
  6 idempotency string  the ring's current slot (lua/fragments/idempotency.lua)
  7 slot       hash     its slots 1 to 6 are keys 7 to 12
  8 slot       hash
  9 slot       hash
  10 slot      hash
  11 slot      hash
  12 slot      hash

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] adjustments  array  flat: sku (string), delta (units, not 0), reason (string, 1 to 255 characters),
                            idempotency token (string; '' = none), ...

REPLY MessagePack array
  [1] sequence   integer   of the journal entry within the epoch; -1 when nothing changed
  [2] results    integers  for each adjustment two: a result, in order of precedence, and units
        6 REPLAYED   available after the adjustment that the key was used for first; nothing is done now
        7 MISMATCH   0; the key was used for something else before
        8 INVALID    0; delta or reason out of range
        3 UNKNOWN    0; no such product
        5 CORRUPT    0; a known sku without a usable level: never taken for zero
        2 SHORT      available; the level would go below zero
        4 TOO_MANY   available; the level would pass the most that a level holds
        1 ADJUSTED   available after it

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 4 commands and 2 for epoch and lane, whatever the batch: HMGET x 2, XADD, HSET; MGET, SET. Where an
  adjustment carries an idempotency key: HMGET x 6, GET, HSET.
]]
--@include envelope
--@include stock
--@include characters
--@include idempotency

local ADJUSTED, SHORT, UNKNOWN, TOO_MANY, CORRUPT = 1, 2, 3, 4, 5
local REPLAYED, MISMATCH, INVALID = 6, 7, 8
local MAX_ADJUSTMENTS, MAX_DELTA, MAX_STOCK, MAX_REASON = 1000, 1000000000000, 1000000000000, 255
local RING = 6

local adjustments = request[5]
if
  not is_array(adjustments)
  or #adjustments < 4
  or #adjustments > 4 * MAX_ADJUSTMENTS
  or #adjustments % 4 ~= 0
then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_ADJUSTMENTS .. ' adjustments of four values')
end
local skus, scopes = {}, {}
for at = 1, #adjustments, 4 do
  local sku, reason, token = adjustments[at], adjustments[at + 2], adjustments[at + 3]
  if type(sku) ~= 'string' or type(reason) ~= 'string' or type(token) ~= 'string' then
    return refuse('MALFORMED', string.format('adjustment %d has a value that is no string', (at + 3) / 4))
  end
  if token ~= '' then
    if not is_token(token) then
      return refuse('MALFORMED', 'an idempotency token is not 33 characters')
    end
    scopes[#scopes + 1] = scope_of_token(token)
  end
  skus[#skus + 1] = sku
end

local record_of = find_records(RING, scopes)
local stored_prices = redis.call('HMGET', KEYS[5], unpack(skus))
local stored_levels = redis.call('HMGET', KEYS[4], unpack(skus))
local is_known, level_of = {}, {}
for index, sku in ipairs(skus) do
  is_known[sku] = stored_prices[index] ~= false
  level_of[sku] = to_level(stored_levels[index])
end

local results, entry_adjustments, changed, new_records = {}, {}, {}, {}

local function is_valid(delta, reason)
  local characters = count_characters(reason)
  return is_integer(delta, -MAX_DELTA, MAX_DELTA) and delta ~= 0 and characters >= 1 and characters <= MAX_REASON
end

-- What an idempotency key has led to before, in this call or an earlier one: a result and units, or nil.
local function replay(token)
  local available = outcome_of(record_of, token, '^=(%d+)$')
  if available then
    return REPLAYED, tonumber(available)
  elseif available == false then
    return MISMATCH, 0
  end
end

-- What stands against the adjustment: a result and units, or nil.
local function obstacle(sku, delta, reason)
  local level = level_of[sku]
  if not is_valid(delta, reason) then
    return INVALID, 0
  elseif not is_known[sku] then
    return UNKNOWN, 0
  elseif not level then
    return CORRUPT, 0
  elseif level + delta < 0 then
    return SHORT, level
  elseif delta > 0 and level + delta > MAX_STOCK then
    return TOO_MANY, level
  end
end

local function adjust(sku, delta, reason, token)
  local available = level_of[sku] + delta
  level_of[sku] = available
  changed[sku] = true
  entry_adjustments[#entry_adjustments + 1] = { sku, delta, reason, available, token }
  if token ~= '' then
    note_outcome(record_of, new_records, token, string.format('=%d', available))
  end
  return ADJUSTED, available
end

for at = 1, #adjustments, 4 do
  local sku, delta, reason, token = adjustments[at], adjustments[at + 1], adjustments[at + 2], adjustments[at + 3]
  local result, units = replay(token)
  if not result then
    result, units = obstacle(sku, delta, reason)
  end
  if not result then
    result, units = adjust(sku, delta, reason, token)
  end
  results[#results + 1] = result
  results[#results + 1] = units
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence = -1
if #entry_adjustments > 0 then
  entry_sequence = append_entry({ FORMAT, 'adjustments', now, entry_adjustments })
  local fields = {}
  for sku in pairs(changed) do
    fields[#fields + 1] = sku
    fields[#fields + 1] = string.format('%d', level_of[sku])
  end
  redis.call('HSET', KEYS[4], unpack(fields))
  if #new_records > 0 then
    keep_records(RING, new_records)
  end
end
return answer({ entry_sequence, results })
