#!lua
--[[
Gives levels signed numbers of units, so that what reconciliation found to disagree agrees: here, and by the journal in
MariaDB's levels and movements. Never a number that is set: whatever is sold meanwhile stays sold. All of a call is made or
none of it, and only if nobody compensated since the caller compared.

KEYS
  1 epoch       string  the epoch in force
  2 lane        string  this caller's last sequence and reply
  3 journal     stream  one entry is appended if anything changes
  4 levels      hash    level field -> units available
  5 compensated string  "epoch-sequence": the journal entry of the last compensation

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] since          string  the last compensation that the caller knew when it began to compare ('' = none)
    [6] compensations  array   flat: level field (string), units for the level here, units for MariaDB's level, units for
                               MariaDB's movements (each signed, not all 0), reason (string, 1 to 200 characters), ...

REPLY MessagePack array
  [1] sequence   integer   of the journal entry within the epoch; -1 when nothing changed
  [2] result     integer   1 COMPENSATED, 2 CONFLICT: there was a compensation since, 3 SHORT: some levels would go below zero,
                           4 TOO_MANY: or pass what a level holds, 5 CORRUPT: some levels are missing or no numbers
  [3] positions  integers  3, 4, 5: which compensations, from 1

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 5 commands and 2 for epoch and lane, whatever the batch: GET, HMGET, XADD, HSET, SET; MGET, SET.
]]
--@include envelope
--@include stock
--@include characters

local COMPENSATED, CONFLICT, SHORT, TOO_MANY, CORRUPT = 1, 2, 3, 4, 5
local MAX_COMPENSATIONS, MAX_REASON = 1000, 200
local VALUES = 5

local since, compensations = request[5], request[6]
if
  type(since) ~= 'string'
  or not is_array(compensations)
  or #compensations < VALUES
  or #compensations > VALUES * MAX_COMPENSATIONS
  or #compensations % VALUES ~= 0
then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_COMPENSATIONS .. ' compensations of five values')
end

local function is_delta(units)
  return is_integer(units, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
end

local fields, is_named, entry_compensations = {}, {}, {}
for at = 1, #compensations, VALUES do
  local field, here, level, movement, reason = unpack(compensations, at, at + VALUES - 1)
  if
    type(field) ~= 'string'
    or is_named[field]
    or not (is_delta(here) and is_delta(level) and is_delta(movement))
    or (here == 0 and level == 0 and movement == 0)
    or type(reason) ~= 'string'
    or count_characters(reason) < 1
    or count_characters(reason) > MAX_REASON
  then
    return refuse('MALFORMED', string.format('compensation %d is named twice or has a value out of range', #fields + 1))
  end
  is_named[field] = true
  fields[#fields + 1] = field
  entry_compensations[#entry_compensations + 1] = { field, here, level, movement, reason }
end

if (redis.call('GET', KEYS[5]) or '') ~= since then
  return answer({ -1, CONFLICT, {} })
end

local levels = redis.call('HMGET', KEYS[4], unpack(fields))
local short, too_many, corrupt, new_levels = {}, {}, {}, {}
for index, field in ipairs(fields) do
  local here = entry_compensations[index][2]
  local stored = tonumber(levels[index] or nil)
  if here ~= 0 then
    -- A level below zero is what a compensation may have to mend, so here it is read as it stands.
    if not is_delta(stored) then
      corrupt[#corrupt + 1] = index
    elseif stored + here < 0 then
      short[#short + 1] = index
    elseif stored + here > MAX_SAFE_INTEGER then
      too_many[#too_many + 1] = index
    else
      new_levels[#new_levels + 1] = field
      new_levels[#new_levels + 1] = string.format('%d', stored + here)
    end
  end
end
if #corrupt > 0 then
  return answer({ -1, CORRUPT, corrupt })
elseif #short > 0 then
  return answer({ -1, SHORT, short })
elseif #too_many > 0 then
  return answer({ -1, TOO_MANY, too_many })
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence = append_entry({ FORMAT, 'compensations', now, entry_compensations })
if #new_levels > 0 then
  redis.call('HSET', KEYS[4], unpack(new_levels))
end
redis.call('SET', KEYS[5], string.format('%s-%d', epoch, entry_sequence))
return answer({ entry_sequence, COMPENSATED, {} })
