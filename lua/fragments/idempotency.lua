-- Remembers what an idempotency key led to, so that a request that is sent again changes nothing (P4).
--
-- A token is 33 characters: 22 that name the key within its user (the scope), 11 that name what was asked (the
-- content).
-- A record is: scope -> content, then where in the journal the outcome stands. Records lie in a ring of slots, each a
-- hash; new ones go into the current slot, and the whole oldest slot goes when the ring turns (rotate-idempotency).
-- All slots are looked through, so no clock decides what is found.
local SCOPE_CHARACTERS, CONTENT_CHARACTERS, SLOTS = 22, 11, 6

-- `first` is the place in KEYS of the ring; the slots follow it. Answers scope -> record for the tokens' scopes.
local function find_records(first, scopes)
  local records = {}
  if #scopes == 0 then
    return records
  end
  for slot = 1, SLOTS do
    local found = redis.call('HMGET', KEYS[first + slot], unpack(scopes))
    for index = 1, #scopes do
      records[scopes[index]] = found[index] or records[scopes[index]]
    end
  end
  return records
end

-- `fields` is flat: scope, record, ...
local function keep_records(first, fields)
  local slot = tonumber(string.match(redis.call('GET', KEYS[first]) or '1', '^%d+'))
  redis.call('HSET', KEYS[first + slot], unpack(fields))
end
