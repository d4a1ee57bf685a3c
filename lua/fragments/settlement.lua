-- Ends the life of orders: takes them out of the holds, gives their units back where they are not kept, says so in
-- the journal, and marks them as settled until MariaDB has it. A mark says as of which entry, so that a reader who finds both a
-- mark and a row of MariaDB knows which is newer.
--
-- Three steps: read_stock for all orders, settle for each, write_settlements. An order that cannot be settled (its record or a
-- level is spoilt) is refused by `settle` alone, and nothing is written before all is decided (P2).
--
-- Units go back to the pool that they were taken from, and a customer's count of what is limited goes down, as long as the
-- event is open that the order was decided under. Later they go to `regular`: the event's pool is gone.
--
-- KEYS of every script that includes this: 4 levels, 5 holds, 6 held, 7 settled, 8 offers, 9 counts.
-- An order is { place, units, user }: units flat (level field, quantity, ...), user whose counts go down, '' = nobody's.
local MAX_QUANTITY = 1000000

-- What was decided so far, to be written: { place, status, units that go back, units that go to `regular` instead of the
-- event's pool, user whose counts go down, why where somebody said }.
local settlements = {}
-- Level field -> units available as they will be, false where the level is missing or no number.
local level_of, is_changed = {}, {}
-- Sku -> the offer of an open event, false where there is none. Field of the counts -> units as they will be.
local offer_of, count_of, is_count_changed = {}, {}, {}

local function is_place(place)
  return type(place) == 'string' and string.match(place, '^%d+%-%d+%-%d+$') ~= nil
end

local function are_units(units)
  if not is_array(units) or #units % 2 ~= 0 then
    return false
  end
  for at = 1, #units, 2 do
    if type(units[at]) ~= 'string' or not is_integer(units[at + 1], 1, MAX_QUANTITY) then
      return false
    end
  end
  return true
end

-- The units of an order that is held and whose counts they are in, or nil where they are missing or spoilt.
local function unpack_held(packed)
  local unpacked, record = pcall(cmsgpack.unpack, packed or '')
  local user, units = unpack(unpacked and type(record) == 'table' and record or {})
  if type(user) == 'string' and are_units(units) and #units > 0 then
    return units, user
  end
end

-- HMGET of the keys of `values` that are not known yet, each put through `read`.
local function read_fields(key, values, wanted, read)
  local fields = {}
  for _, field in ipairs(wanted) do
    if values[field] == nil then
      values[field] = false
      fields[#fields + 1] = field
    end
  end
  local stored = #fields > 0 and redis.call('HMGET', key, unpack(fields)) or {}
  for index, field in ipairs(fields) do
    values[field] = stored[index] and read(stored[index]) or false
  end
end

-- The offer under which an order took units of a level field, while its event is open; nil for units of `regular` and
-- for those of an event that was closed since.
local function offer_behind(place, field)
  local sku, event = split_field(field)
  local offer = event and offer_of[sku]
  local in_epoch, in_sequence = string.match(place, '^(%d+)-(%d+)')
  in_epoch, in_sequence = tonumber(in_epoch), tonumber(in_sequence)
  if
    offer
    and offer.event == event
    and (in_epoch > offer.epoch or (in_epoch == offer.epoch and in_sequence > offer.sequence))
  then
    return offer
  end
end

-- Calls `visit(order, field, quantity)` for each of the units.
local function each_unit(orders, visit)
  for _, order in ipairs(orders) do
    for at = 1, #order.units, 2 do
      visit(order, order.units[at], order.units[at + 1])
    end
  end
end

-- Reads every level and count that may change. The caller bounds the lines: unpack() fails past about 8,000 values.
local function read_stock(orders)
  local skus, fields, counts = {}, {}, {}
  each_unit(orders, function(_, field)
    local sku, event = split_field(field)
    fields[#fields + 1] = field
    if event then
      skus[#skus + 1] = sku
      fields[#fields + 1] = sku
    end
  end)
  read_fields(KEYS[8], offer_of, skus, read_offer)
  read_fields(KEYS[4], level_of, fields, to_level)
  each_unit(orders, function(order, field)
    local offer = offer_behind(order.place, field)
    if offer and offer.limit > 0 and order.user ~= '' then
      counts[#counts + 1] = field_of_count(offer, split_field(field), order.user)
    end
  end)
  read_fields(KEYS[9], count_of, counts, tonumber)
end

-- Where the units of an order go: flat units that go back, flat units that go to `regular` instead.
local function part_units(order)
  local back, strays = {}, {}
  each_unit({ order }, function(_, field, quantity)
    local _, event = split_field(field)
    local list = event and not offer_behind(order.place, field) and strays or back
    list[#list + 1] = field
    list[#list + 1] = quantity
  end)
  return back, strays
end

local function can_take(field, quantity)
  local level = level_of[field]
  return level and level + quantity <= MAX_SAFE_INTEGER
end

local function give(field, quantity)
  level_of[field] = level_of[field] + quantity
  is_changed[field] = true
end

-- A count that is lower than it should be stays at nothing: it must not keep the units away. reconcile names it.
local function count_down(order, field, quantity)
  local offer = offer_behind(order.place, field)
  if not offer or offer.limit == 0 or order.user == '' then
    return false
  end
  local count = field_of_count(offer, split_field(field), order.user)
  count_of[count] = math.max(0, (count_of[count] or 0) - quantity)
  is_count_changed[count] = true
  return true
end

-- Decides that the order is of this status from now on; its units go back unless that is 'placed'. Answers false, and
-- has decided nothing, where they cannot. `order` is nil where it could not be read; `reason` is '' where nobody gave one.
local function settle(place, status, order, reason)
  local back, strays, counted_for = {}, {}, ''
  if status ~= 'placed' then
    if not order then
      return false
    end
    back, strays = part_units(order)
  end
  for at = 1, #back, 2 do
    if not can_take(back[at], back[at + 1]) then
      return false
    end
  end
  for at = 1, #strays, 2 do
    if not can_take(split_field(strays[at]), strays[at + 1]) then
      return false
    end
  end
  for at = 1, #back, 2 do
    give(back[at], back[at + 1])
    counted_for = count_down(order, back[at], back[at + 1]) and order.user or counted_for
  end
  for at = 1, #strays, 2 do
    give(split_field(strays[at]), strays[at + 1])
  end
  settlements[#settlements + 1] = { place, status, back, strays, counted_for, reason ~= '' and reason or nil }
  return true
end

local function write_counts()
  local fields, gone = {}, {}
  for field in pairs(is_count_changed) do
    if count_of[field] == 0 then
      gone[#gone + 1] = field
    else
      fields[#fields + 1] = field
      fields[#fields + 1] = string.format('%d', count_of[field])
    end
  end
  if #fields > 0 then
    redis.call('HSET', KEYS[9], unpack(fields))
  end
  if #gone > 0 then
    redis.call('HDEL', KEYS[9], unpack(gone))
  end
end

local function write_orders(entry_sequence)
  local places, marks, fields = {}, {}, {}
  for _, settlement in ipairs(settlements) do
    places[#places + 1] = settlement[1]
    marks[#marks + 1] = settlement[1]
    marks[#marks + 1] = string.format('%s %s-%d', settlement[2], epoch, entry_sequence)
  end
  for field in pairs(is_changed) do
    fields[#fields + 1] = field
    fields[#fields + 1] = string.format('%d', level_of[field])
  end
  if #fields > 0 then
    redis.call('HSET', KEYS[4], unpack(fields))
  end
  redis.call('ZREM', KEYS[5], unpack(places))
  redis.call('HDEL', KEYS[6], unpack(places))
  redis.call('HSET', KEYS[7], unpack(marks))
  write_counts()
end

-- Everything is decided; from here on there are only writes that cannot fail. `keyed` is flat: the token of an idempotency key,
-- the status that it led to, ...; the journal keeps them, the caller the records. Answers the entry's sequence, -1 when
-- there was nothing to write.
local function write_settlements(keyed)
  if #settlements == 0 and #keyed == 0 then
    return -1
  end
  local entry_sequence = append_entry({ FORMAT, 'settlements', now, settlements, keyed })
  if #settlements > 0 then
    write_orders(entry_sequence)
  end
  return entry_sequence
end
