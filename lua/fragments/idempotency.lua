-- Remembers what an idempotency key led to, so that a request that is sent again changes nothing (P4).
--
-- A token is 33 characters: 22 that name the key within its user (the scope), 11 that name what was asked (the
-- content).
-- A record is: scope -> content, then the outcome: where in the journal an order stands, `=` and what was available after an
-- adjustment, or the status that a settlement gave. Records lie in a ring of slots, each a hash; new ones go into the current slot, and the whole oldest slot goes when the ring turns (rotate-idempotency).
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

local function is_token(token)
  return type(token) == 'string' and #token == SCOPE_CHARACTERS + CONTENT_CHARACTERS
end

local function scope_of_token(token)
  return string.sub(token, 1, SCOPE_CHARACTERS)
end

-- The outcome that a token's key has led to, in the form of `pattern`; false where it was used for something else, nil where it
-- was not used.
local function outcome_of(records, token, pattern)
  local record = records[scope_of_token(token)]
  if not record then
    return nil
  end
  local is_same = string.sub(record, 1, CONTENT_CHARACTERS) == string.sub(token, SCOPE_CHARACTERS + 1)
  return is_same and string.match(record, pattern, CONTENT_CHARACTERS + 1) or false
end

-- Notes in `records`, for what follows in this call, and in `fields`, for keep_records, what a token's key led to.
local function note_outcome(records, fields, token, outcome)
  local scope = scope_of_token(token)
  records[scope] = string.sub(token, SCOPE_CHARACTERS + 1) .. outcome
  fields[#fields + 1] = scope
  fields[#fields + 1] = records[scope]
end

-- `fields` is flat: scope, record, ...
local function keep_records(first, fields)
  local slot = tonumber(string.match(redis.call('GET', KEYS[first]) or '1', '^%d+'))
  redis.call('HSET', KEYS[first + slot], unpack(fields))
end
