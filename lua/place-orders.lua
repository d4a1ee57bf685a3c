#!lua
--[[
Decides a batch of orders: each takes every one of its lines or none, in the order given, and all that are accepted
become one journal entry. Lines come with the order, or are the shopper's wishlist, read and emptied here. A line draws
from the sale event that carries its SKU now, at the event's price and within its limit for each customer, else from
`regular`.

KEYS
  1 epoch      string   the epoch in force
  2 lane       string   this caller's last sequence and reply
  3 journal    stream   one entry is appended if any order is accepted
  4 levels     hash     level field -> units available; field: the sku, or of an event's pool sku NUL event id
  5 prices     hash     sku -> minor units of the currency; a sku is known exactly if it is here
  6 wishlists  hash     user -> MessagePack [sku, quantity, sku, quantity, ...]
  7 holds      zset     order place -> when its hold ends, ms since 1970
  8 held       hash     order place -> MessagePack [user, units], units flat: level field, quantity, ...: what is given back if it is not
                        paid, and whose counts go down ('' = nobody's)
  9 offers     hash     sku -> the offer of an open event (lua/fragments/offers.lua)
  10 counts    hash     opening, sku and user -> units in live orders (lua/fragments/offers.lua)
  11 idempotency string the ring's current slot (lua/fragments/idempotency.lua)
  12 slot      hash     its slots 1 to 6 are keys 12 to 17
  13 slot      hash
  14 slot      hash
  15 slot      hash
  16 slot      hash
  17 slot      hash

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] skus    strings   the skus of all lines, each once
    [6] users   strings   one a batch position: who orders
    [7] orders  integers  for each position: count of lines, then count x (sku position from 1, quantity in units);
                          count 0 = what is on the user's wishlist
    [8] tokens  array     flat: batch position, idempotency token, ...; of the orders that carry a key
    [9] hold    integer   ms that orders from `regular` are held unpaid; 0 = they are placed at once. An order with
                          lines of several kinds is held for the shortest hold of those that have one
    [10] totals integers  flat: batch position, the total in minor units that the user expects, ...; of orders that say so

REPLY MessagePack array
  [1] sequence   integer   of the journal entry within the epoch; -1 when no order was accepted
  [2] added      strings   skus that wishlists brought in; their positions go on after [5] of the request
  [3] prices     integers  by sku position, as they are now; -1 = unknown
  [4] results    integers  for each position, in order of precedence:
        9 REPLAYED  epoch, sequence, index      the key was used for the same before: where that order stands;
                                                sequence -1 = in this call's entry
        10 MISMATCH                             the key was used for something else before
        7 INVALID                               a line out of range or a sku named twice in one order
        5 DEFERRED                              the call's bound on lines was reached: send it again in the next call
        4 EMPTY     nothing is on the wishlist
        3 UNKNOWN   count, count x sku position
        8 TOO_LARGE                             the total passes 2^53 - 1
        12 PRICE_CHANGED  total                 the total is not what the user expects
        6 CORRUPT   sku position                a known sku without a usable level: never taken for zero
        11 LIMITED  count, count x (sku position, limit, already, requested): already = the user's units in live orders
        2 SHORT     count, count x (sku position, requested, available)
        1 ACCEPTED  index in the entry, count, count x (sku position, quantity); count 0 unless it was a wishlist
  [5] events     array     flat: sku position, event id, ...; of the skus that an event carries now
  [6] holds      integer   ms that the accepted orders are held, or an array of it by index where they differ

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 5 commands whatever the batch: HMGET x 3, XADD, HSET. For wishlists: HMGET, HDEL. For holds: ZADD, HSET. For
  limits: HMGET, HSET. For epoch and lane: MGET, SET. For idempotency keys: HMGET x 6, GET, HSET.
  Lines are bounded because unpack() fails past about 8,000 values (HSET takes two a line) and because Redis
  serves nobody else while a script runs.
]]
--@include envelope
--@include stock
--@include offers
--@include idempotency
--@include order-request
--@include order-lines

local INVALID, EMPTY, UNKNOWN, TOO_LARGE, CORRUPT, SHORT, ACCEPTED = 7, 4, 3, 8, 6, 2, 1
local REPLAYED, MISMATCH, LIMITED, PRICE_CHANGED = 9, 10, 11, 12
local MAX_QUANTITY = 1000000
local FROM_WISHLIST = 1
local RING = 11
local RECORD = '^(' .. string.rep('.', CONTENT_CHARACTERS) .. ')(%d+)-(%d+)-(%d+)$'

local record_of = find_records(RING, scopes)
local accepted_here = {}

-- What each sku costs and where its units stand, now. `offers` has only those that are in force, by sku position.
local prices, levels, fields, offers, events = {}, {}, {}, {}, {}
local is_limited = false
if #skus > 0 then
  prices = redis.call('HMGET', KEYS[5], unpack(skus))
  local packed = redis.call('HMGET', KEYS[9], unpack(skus))
  for position = 1, #skus do
    fields[position] = skus[position]
    local offer = packed[position] and read_offer(packed[position])
    if offer and offer.starts <= now and now < offer.ends and prices[position] then
      offers[position] = offer
      prices[position] = offer.price
      fields[position] = field_of_event(skus[position], offer.event)
      events[#events + 1] = position
      events[#events + 1] = offer.event
      is_limited = is_limited or offer.limit > 0
    end
  end
  levels = redis.call('HMGET', KEYS[4], unpack(fields))
end
for position = 1, #skus do
  prices[position] = tonumber(prices[position] or -1)
  levels[position] = to_level(levels[position]) or -1
end

-- How many units of what is limited each customer of this call has in live orders: count field -> units.
local counts, counts_changed = {}, {}
if is_limited then
  local wanted = {}
  for order = 1, #users do
    local source, first, last = lines_of(order)
    for at = first or 1, last or 0, 2 do
      local offer = offers[source[at]]
      if offer and offer.limit > 0 then
        local field = field_of_count(offer, skus[source[at]], users[order])
        if not counts[field] then
          counts[field] = 0
          wanted[#wanted + 1] = field
        end
      end
    end
  end
  local stored = #wanted > 0 and redis.call('HMGET', KEYS[10], unpack(wanted)) or {}
  for index = 1, #wanted do
    counts[wanted[index]] = tonumber(stored[index] or 0)
  end
end

local results, entry_users, entry_orders, entry_tokens, entry_holds, held_records = {}, {}, {}, {}, {}, {}
local named_by, changed, emptied = {}, {}, {}
local sku_count, floor = #skus, math.floor

-- This loop is where a call's time goes, so it counts for itself (# searches for the end of a table), makes a table
-- for an order only when it is refused, and looks at each line once: measured, a quarter less a call of 64 orders.
local result_count, entry_count = 0, 0

local function put(value)
  result_count = result_count + 1
  results[result_count] = value
end

local function put_all(values)
  for index = 1, #values do
    put(values[index])
  end
end

-- Answers what the order's key has led to before, if it was used; says whether it was.
local function replay(position)
  local scope, content = scope_of[position], content_of[position]
  if not scope then
    return false
  end
  local here, record = accepted_here[scope], record_of[scope]
  if here then
    put_all(here.content == content and { REPLAYED, request[2], -1, here.index } or { MISMATCH })
  elseif record then
    local kept, in_epoch, in_sequence, index = string.match(record, RECORD)
    if kept == content then
      put_all({ REPLAYED, tonumber(in_epoch), tonumber(in_sequence), tonumber(index) })
    else
      put(MISMATCH)
    end
  end
  return here or record
end

-- What stands against the order, as its results, or nil: out of range or named twice comes first, then unknown, too
-- large, another total than expected, corrupt, limited and short.
local function obstacle(source, first, last, order)
  local total, unknown, corrupt, limited, short = 0, nil, nil, nil, nil
  for at = first, last, 2 do
    local position, quantity = source[at], source[at + 1]
    -- NaN fails every comparison, so each is asked the way round that it must pass.
    if
      type(position) ~= 'number'
      or type(quantity) ~= 'number'
      or not (position >= 1 and position <= sku_count and quantity >= 1 and quantity <= MAX_QUANTITY)
      or position ~= floor(position)
      or quantity ~= floor(quantity)
      or named_by[position] == order
    then
      return { INVALID }
    end
    named_by[position] = order
    local price, level = prices[position], levels[position]
    if price < 0 then
      unknown = unknown or { UNKNOWN, 0 }
      unknown[2] = unknown[2] + 1
      unknown[#unknown + 1] = position
    else
      total = total + price * quantity
      local offer = is_limited and offers[position]
      if offer and offer.limit > 0 then
        local already = counts[field_of_count(offer, skus[position], users[order])]
        if already + quantity > offer.limit then
          limited = limited or { LIMITED, 0 }
          limited[2] = limited[2] + 1
          limited[#limited + 1] = position
          limited[#limited + 1] = offer.limit
          limited[#limited + 1] = already
          limited[#limited + 1] = quantity
        end
      end
      if level < 0 then
        corrupt = { CORRUPT, position }
      elseif level < quantity then
        short = short or { SHORT, 0 }
        short[2] = short[2] + 1
        short[#short + 1] = position
        short[#short + 1] = quantity
        short[#short + 1] = level
      end
    end
  end
  if unknown then
    return unknown
  elseif total > MAX_SAFE_INTEGER then
    return { TOO_LARGE }
  elseif expected_total[order] and expected_total[order] ~= total then
    return { PRICE_CHANGED, total }
  end
  return corrupt or limited or short
end

-- The shortest hold of the lines that have one: whoever holds the scarcest of them may not keep it longer.
local function hold_of(source, first, last)
  local shortest = 0
  for at = first, last, 2 do
    local offer = offers[source[at]]
    local ms = offer and offer.hold or hold
    if ms > 0 and (shortest == 0 or ms < shortest) then
      shortest = ms
    end
  end
  return shortest
end

-- Whose counts go down and what is given back if the order is not paid.
local function to_hold(order, source, first, last)
  local user, units = '', {}
  for at = first, last, 2 do
    local offer = offers[source[at]]
    if offer and offer.limit > 0 then
      user = users[order]
    end
    units[#units + 1] = fields[source[at]]
    units[#units + 1] = source[at + 1]
  end
  return { user, units }
end

local function count(order, position, quantity)
  local offer = offers[position]
  if offer and offer.limit > 0 then
    local field = field_of_count(offer, skus[position], users[order])
    counts[field] = counts[field] + quantity
    counts_changed[field] = true
  end
end

local function take(order, source, first, last)
  for at = first, last, 2 do
    local position, quantity = source[at], source[at + 1]
    levels[position] = levels[position] - quantity
    changed[position] = true
    entry_orders[entry_count + 1] = position
    entry_orders[entry_count + 2] = quantity
    entry_count = entry_count + 2
    if is_limited then
      count(order, position, quantity)
    end
  end
end

local function accept(order, source, first, last)
  local from_wishlist = orders[starts[order]] == 0
  local line_count, index = (last - first + 1) / 2, #entry_users
  entry_orders[entry_count + 1] = from_wishlist and FROM_WISHLIST or 0
  entry_orders[entry_count + 2] = line_count
  entry_count = entry_count + 2
  take(order, source, first, last)
  local held_for = #events > 0 and hold_of(source, first, last) or hold
  entry_holds[index + 1] = held_for
  if held_for > 0 then
    held_records[index + 1] = to_hold(order, source, first, last)
  end
  put(ACCEPTED)
  put(index)
  put(from_wishlist and line_count or 0)
  if scope_of[order] then
    accepted_here[scope_of[order]] = { content = content_of[order], index = index }
    entry_tokens[#entry_tokens + 1] = index
    entry_tokens[#entry_tokens + 1] = scope_of[order] .. content_of[order]
  end
  entry_users[index + 1] = users[order]
  if from_wishlist then
    emptied[users[order]] = true
    put_all(source)
  end
end

local function decide(order)
  if replay(order) then
    return
  end
  if orders[starts[order]] == 0 then
    if wishlist_lines[order] == DEFERRED then
      return put(DEFERRED)
    elseif not wishlist_lines[order] or emptied[users[order]] then
      return put(EMPTY)
    end
  end
  local source, first, last = lines_of(order)
  local refusal = obstacle(source, first, last, order)
  if refusal then
    return put_all(refusal)
  end
  accept(order, source, first, last)
end

for position = 1, #users do
  decide(position)
end

-- One number where all are held alike, which is nearly always.
local function alike(holds)
  for index = 2, #holds do
    if holds[index] ~= holds[1] then
      return holds
    end
  end
  return holds[1] or 0
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence, holds = -1, alike(entry_holds)
if #entry_users > 0 then
  entry_sequence = append_entry({ FORMAT, 'orders', now, fields, prices, entry_users, entry_orders, entry_tokens, holds })
  local new_levels = {}
  for position in pairs(changed) do
    new_levels[#new_levels + 1] = fields[position]
    new_levels[#new_levels + 1] = string.format('%d', levels[position])
  end
  redis.call('HSET', KEYS[4], unpack(new_levels))
  local gone = {}
  for user in pairs(emptied) do
    gone[#gone + 1] = user
  end
  if #gone > 0 then
    redis.call('HDEL', KEYS[6], unpack(gone))
  end
  local deadlines, held = {}, {}
  for index, record in pairs(held_records) do
    local place = string.format('%s-%d-%d', epoch, entry_sequence, index - 1)
    deadlines[#deadlines + 1] = string.format('%d', now + entry_holds[index])
    deadlines[#deadlines + 1] = place
    held[#held + 1] = place
    held[#held + 1] = cmsgpack.pack(record)
  end
  if #held > 0 then
    redis.call('ZADD', KEYS[7], unpack(deadlines))
    redis.call('HSET', KEYS[8], unpack(held))
  end
  local new_counts = {}
  for field in pairs(counts_changed) do
    new_counts[#new_counts + 1] = field
    new_counts[#new_counts + 1] = string.format('%d', counts[field])
  end
  if #new_counts > 0 then
    redis.call('HSET', KEYS[10], unpack(new_counts))
  end
  local records = {}
  for scope, accepted in pairs(accepted_here) do
    records[#records + 1] = scope
    records[#records + 1] = string.format('%s%s-%d-%d', accepted.content, epoch, entry_sequence, accepted.index)
  end
  if #records > 0 then
    keep_records(RING, records)
  end
end
return answer({ entry_sequence, added, prices, results, events, holds })
