-- Ends the life of orders: takes them out of the holds, gives their units back where they are not kept, says so in
-- the journal, and marks them as settled until MariaDB has it. A mark says as of which entry, so that a reader who finds both a
-- mark and a row of MariaDB knows which is newer.
--
-- KEYS of every script that includes this: 4 levels, 5 holds, 6 held, 7 settled.

-- settlements: array of { place, status, units }; units is flat (sku, quantity, ...) and is given back unless the
-- status is 'placed'. Answers the entry's sequence, or nil and the sku whose level is missing: then nothing changed.
local function settle(settlements)
  local given_back = {}
  for _, settlement in ipairs(settlements) do
    local units = settlement[2] == 'placed' and {} or settlement[3]
    for at = 1, #units, 2 do
      given_back[units[at]] = (given_back[units[at]] or 0) + units[at + 1]
    end
  end
  local fields, missing = levels_with(KEYS[4], given_back)
  if not fields then
    return nil, missing
  end
  local entry_sequence = append_entry({ FORMAT, 'settlements', now, settlements })
  local places, marks = {}, {}
  for _, settlement in ipairs(settlements) do
    places[#places + 1] = settlement[1]
    marks[#marks + 1] = settlement[1]
    marks[#marks + 1] = string.format('%s %s-%d', settlement[2], epoch, entry_sequence)
  end
  if #fields > 0 then
    redis.call('HSET', KEYS[4], unpack(fields))
  end
  redis.call('ZREM', KEYS[5], unpack(places))
  redis.call('HDEL', KEYS[6], unpack(places))
  redis.call('HSET', KEYS[7], unpack(marks))
  return entry_sequence
end
