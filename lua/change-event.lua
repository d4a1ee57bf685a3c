#!lua
--[[
Writes down what a sale event is now, and where that opens or closes it moves its units: opening takes each item's
allotment, or what is there of it, from `regular` into the event's own pool and puts the offer up; closing takes the
offer down and moves the unsold back; adjusting moves some more of an open event's units, either way. Nothing opens before
its time or after it, by the clock of the call.

KEYS
  1 epoch     string  the epoch in force
  2 lane      string  this caller's last sequence and reply
  3 journal   stream  one entry is appended if the event changes
  4 levels    hash    level field -> units available
  5 prices    hash    sku -> minor units of the currency; a sku is known exactly if it is here
  6 offers    hash    sku -> the offer of an open event (lua/fragments/offers.lua)
  7 events    hash    event id -> JSON of the event
  8 revision  string  how often events were changed
  9 idempotency string  the ring's current slot (lua/fragments/idempotency.lua)
  10 slot     hash    its slots 1 to 6 are keys 10 to 15
  11 slot     hash
  12 slot     hash
  13 slot     hash
  14 slot     hash
  15 slot     hash

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] revision  integer  as of which the caller decided; another in force = nothing is done
    [6] event     string   its id
    [7] record    string   JSON of the event as it will be
    [8] action    integer  0 = the record only, 1 = open, 2 = close, 3 = adjust
    [9] items     array    flat: sku (string), stock (units), price (minor units), limit (units for each customer;
                           0 = none), ...
    [10] hold     integer  ms that its orders are held unpaid; 0 = they are placed at once
    [11] starts   integer  ms since 1970
    [12] ends     integer  ms since 1970
    [13] token    string   its idempotency token; '' = none
    [14] history  array    flat: number of an occurrence, starts, ends (ms since 1970), status, ...; for the journal only
    [15] deltas   array    units to move into the pool, by item; negative = back. Only where the action is 3
    [16] reason   string   why it is adjusted; for the journal only

REPLY MessagePack array
  [1] sequence  integer   of the journal entry within the epoch; -1 when nothing changed
  [2] result    integer   1 CHANGED, 2 CONFLICT: the revision is another, 3 TAKEN: another open event has some of the
                          skus, 4 UNKNOWN: some skus are no product, 5 CORRUPT: some levels are missing, 6 REPLAYED: the key was used for
                          the same before, 7 MISMATCH: for something else, 8 UNTIMELY: the call's clock is not within the window that it opens,
                          9 SHORT: so many units are not there to be moved
  [3] values    integers  1: units moved by item, into the pool; 3, 4, 5: item positions; 2: the revision in force; 8: the call's clock;
                          9: item position, requested, available, ...
  [4] outcome   string    6: what the key led to: "!", event, action, units moved by item with commas between, the
                          record then, with "|" between them

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 10 commands and 2 for epoch and lane: GET, HMGET x 3, XADD, HSET x 3 or x 2 and HDEL x 2, INCR; MGET, SET. At
  most 1,000 items. With an idempotency key: HMGET x 6, GET, HSET.
]]
--@include envelope
--@include stock
--@include offers
--@include idempotency

local CHANGED, CONFLICT, TAKEN, UNKNOWN, CORRUPT, REPLAYED, MISMATCH, UNTIMELY, SHORT = 1, 2, 3, 4, 5, 6, 7, 8, 9
local OPEN, CLOSE, ADJUST = 1, 2, 3
local MAX_ITEMS, MAX_STOCK, MAX_PRICE, MAX_LIMIT, MAX_HOLD_MS = 1000, 1000000000000, 1000000000000, 1000000, 31536000000
local MAX_HISTORY, VALUES_OF_OCCURRENCE = 1000, 4
local VALUES_OF_ITEM = 4
local RING = 9

local expected, event, record, action, items, hold, starts, ends, token, history, deltas, reason = unpack(request, 5, 16)
if
  not is_integer(expected, 0, MAX_SAFE_INTEGER)
  or type(event) ~= 'string'
  or not string.match(event, '^[%w_-]+$')
  or type(record) ~= 'string'
  or not is_integer(action, 0, ADJUST)
  or not (token == '' or is_token(token))
then
  return refuse('MALFORMED', 'revision, event, record, action or token is out of range')
end
if
  not is_integer(hold, 0, MAX_HOLD_MS)
  or not is_integer(starts, 0, MAX_SAFE_INTEGER)
  or not is_integer(ends, starts, MAX_SAFE_INTEGER)
then
  return refuse('MALFORMED', 'hold, start or end is out of range')
end
if
  type(items) ~= 'table'
  or #items < VALUES_OF_ITEM
  or #items > VALUES_OF_ITEM * MAX_ITEMS
  or #items % VALUES_OF_ITEM ~= 0
then
  return refuse('MALFORMED', 'an event has 1 to ' .. MAX_ITEMS .. ' items of four values')
end
local skus, stocks, unit_prices, limits, is_named = {}, {}, {}, {}, {}
for at = 1, #items, VALUES_OF_ITEM do
  local sku, stock, price, limit = unpack(items, at, at + VALUES_OF_ITEM - 1)
  if
    type(sku) ~= 'string'
    or is_named[sku]
    or not is_integer(stock, 0, MAX_STOCK)
    or not is_integer(price, 0, MAX_PRICE)
    or not is_integer(limit, 0, MAX_LIMIT)
  then
    return refuse('MALFORMED', string.format('item %d is named twice or has a value out of range', #skus + 1))
  end
  is_named[sku] = true
  local index = #skus + 1
  skus[index], stocks[index], unit_prices[index], limits[index] = sku, stock, price, limit
end

if
  not is_array(history)
  or #history > VALUES_OF_OCCURRENCE * MAX_HISTORY
  or #history % VALUES_OF_OCCURRENCE ~= 0
  or type(reason) ~= 'string'
then
  return refuse('MALFORMED', 'history or reason is out of range')
end
if not is_array(deltas) or #deltas ~= (action == ADJUST and #skus or 0) then
  return refuse('MALFORMED', 'an adjustment has one delta for each item, and nothing else has any')
end
for _, delta in ipairs(deltas) do
  if not is_integer(delta, -MAX_STOCK, MAX_STOCK) then
    return refuse('MALFORMED', 'a delta is out of range')
  end
end

if token ~= '' then
  local outcome = outcome_of(find_records(RING, { scope_of_token(token) }), token, '^!.*$')
  if outcome ~= nil then
    return answer({ -1, outcome and REPLAYED or MISMATCH, {}, outcome or '' })
  end
end

local revision = tonumber(redis.call('GET', KEYS[8]) or 0)
if revision ~= expected then
  return answer({ -1, CONFLICT, { revision }, '' })
end
if action == OPEN and not (starts <= now and now < ends) then
  return answer({ -1, UNTIMELY, { now }, '' })
end

local level_fields = {}
for index, sku in ipairs(skus) do
  level_fields[index], level_fields[#skus + index] = sku, field_of_event(sku, event)
end
local prices = redis.call('HMGET', KEYS[5], unpack(skus))
local packed_offers = redis.call('HMGET', KEYS[6], unpack(skus))
local levels = redis.call('HMGET', KEYS[4], unpack(level_fields))

-- Of each item the units in `regular` and in the event's pool. A pool that is not there yet is empty.
local in_regular, in_pool, is_ours = {}, {}, {}
local unknown, taken, corrupt, short = {}, {}, {}, {}
for index = 1, #skus do
  local offer = packed_offers[index] and read_offer(packed_offers[index])
  local pool = levels[#skus + index]
  in_regular[index] = to_level(levels[index])
  in_pool[index] = pool and to_level(pool) or not pool and 0 or nil
  is_ours[index] = offer and offer.event == event
  if not prices[index] then
    unknown[#unknown + 1] = index
  elseif action == OPEN and offer then
    taken[#taken + 1] = index
  elseif not in_regular[index] or not in_pool[index] or (action == ADJUST and not is_ours[index]) then
    corrupt[#corrupt + 1] = index
  elseif action == ADJUST and (deltas[index] > in_regular[index] or -deltas[index] > in_pool[index]) then
    short[#short + 1] = index
    short[#short + 1] = deltas[index]
    short[#short + 1] = deltas[index] > 0 and in_regular[index] or in_pool[index]
  end
end
if #unknown > 0 then
  return answer({ -1, UNKNOWN, unknown, '' })
elseif #taken > 0 then
  return answer({ -1, TAKEN, taken, '' })
elseif action ~= 0 and #corrupt > 0 then
  return answer({ -1, CORRUPT, corrupt, '' })
elseif #short > 0 then
  return answer({ -1, SHORT, short, '' })
end

-- Units into the pool, by item; negative = back.
local moves = {}
for index = 1, #skus do
  if action == OPEN then
    moves[index] = math.min(stocks[index], in_regular[index])
  elseif action == ADJUST then
    moves[index] = deltas[index]
  elseif action == CLOSE and is_ours[index] then
    moves[index] = 0 - in_pool[index] -- -in_pool[index] would be written "-0" of an empty pool
  else
    moves[index] = 0
  end
end

local function entry_moves()
  local flat = {}
  for index, units in ipairs(moves) do
    flat[#flat + 1] = skus[index]
    flat[#flat + 1] = units
  end
  return flat
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence =
  append_entry({ FORMAT, 'events', now, event, record, action, entry_moves(), token, history, reason })
local new_levels, new_offers, gone_fields, gone_skus = {}, {}, {}, {}
for index, sku in ipairs(skus) do
  local field = field_of_event(sku, event)
  if action == OPEN or action == ADJUST or (action == CLOSE and is_ours[index]) then
    new_levels[#new_levels + 1] = sku
    new_levels[#new_levels + 1] = string.format('%d', in_regular[index] - moves[index])
  end
  if action == OPEN or action == ADJUST then
    new_levels[#new_levels + 1] = field
    new_levels[#new_levels + 1] = string.format('%d', in_pool[index] + moves[index])
  end
  if action == OPEN then
    new_offers[#new_offers + 1] = sku
    new_offers[#new_offers + 1] = cmsgpack.pack({
      event,
      unit_prices[index],
      limits[index],
      hold,
      starts,
      ends,
      tonumber(epoch),
      entry_sequence,
    })
  elseif action == CLOSE and is_ours[index] then
    gone_fields[#gone_fields + 1] = field
    gone_skus[#gone_skus + 1] = sku
  end
end
if #new_levels > 0 then
  redis.call('HSET', KEYS[4], unpack(new_levels))
end
if #new_offers > 0 then
  redis.call('HSET', KEYS[6], unpack(new_offers))
end
if #gone_skus > 0 then
  redis.call('HDEL', KEYS[4], unpack(gone_fields))
  redis.call('HDEL', KEYS[6], unpack(gone_skus))
end
redis.call('HSET', KEYS[7], event, record)
redis.call('INCR', KEYS[8])
if token ~= '' then
  local fields = {}
  note_outcome({}, fields, token, string.format('!%s|%d|%s|%s', event, action, table.concat(moves, ','), record))
  keep_records(RING, fields)
end
return answer({ entry_sequence, CHANGED, moves, '' })
