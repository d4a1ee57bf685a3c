#!lua
--[[
Decides a batch of orders: each takes every one of its lines or none, in the order given, and all that are accepted
become one journal entry. Lines come with the order, or are the shopper's wishlist, read and emptied here.

KEYS
  1 epoch      string   the epoch in force
  2 lane       string   this caller's last sequence and reply
  3 journal    stream   one entry is appended if any order is accepted
  4 levels     hash     level field -> units available
  5 prices     hash     sku -> minor units of the currency; a sku is known exactly if it is here
  6 wishlists  hash     user -> MessagePack [sku, quantity, sku, quantity, ...]
  7 holds      zset     order place -> when its hold ends, ms since 1970
  8 held       hash     order place -> MessagePack [sku, quantity, ...]: what is given back if it is not paid
  9 idempotency string  the ring's current slot (lua/fragments/idempotency.lua)
  10 slot      hash     its slots 1 to 6 are keys 10 to 15
  11 slot      hash
  12 slot      hash
  13 slot      hash
  14 slot      hash
  15 slot      hash

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] skus    strings   the skus of all lines, each once
    [6] users   strings   one a batch position: who orders
    [7] orders  integers  for each position: count of lines, then count x (sku position from 1, quantity in units);
                          count 0 = what is on the user's wishlist
    [8] tokens  array     flat: batch position, idempotency token, ...; of the orders that carry a key
    [9] hold    integer   ms that accepted orders are held unpaid; 0 = they are placed at once

REPLY MessagePack array
  [1] sequence   integer   of the journal entry within the epoch; -1 when no order was accepted
  [2] added      strings   skus that wishlists brought in; their positions go on after [5] of the request
  [3] prices     integers  by sku position; -1 = unknown
  [4] results    integers  for each position, in order of precedence:
        9 REPLAYED  epoch, sequence, index      the key was used for the same before: where that order stands;
                                                sequence -1 = in this call's entry
        10 MISMATCH                             the key was used for something else before
        7 INVALID                               a line out of range or a sku named twice in one order
        5 DEFERRED                              the call's bound on lines was reached: send it again in the next call
        4 EMPTY     nothing is on the wishlist
        3 UNKNOWN   count, count x sku position
        8 TOO_LARGE                             the total passes 2^53 - 1
        6 CORRUPT   sku position                a known sku without a usable level: never taken for zero
        2 SHORT     count, count x (sku position, requested, available)
        1 ACCEPTED  index in the entry, count, count x (sku position, quantity); count 0 unless it was a wishlist

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE.

COST at most 8 commands whatever the batch: HMGET x 3, XADD, HSET x 2, HDEL, ZADD. For epoch and lane: MGET, SET. Where an
  order carries an idempotency key: HMGET x 6, GET, HSET.
  Lines are bounded because unpack() fails past about 8,000 values (HSET takes two a line) and because Redis
  serves nobody else while a script runs.
]]
--@include envelope
--@include stock
--@include idempotency

local INVALID, DEFERRED, EMPTY, UNKNOWN, TOO_LARGE, CORRUPT, SHORT, ACCEPTED = 7, 5, 4, 3, 8, 6, 2, 1
local REPLAYED, MISMATCH = 9, 10
local MAX_ORDERS, MAX_LINES, MAX_LINES_OF_ORDER, MAX_QUANTITY = 1024, 3900, 1000, 1000000
local FROM_WISHLIST = 1
local RING = 9
local MAX_HOLD_MS = 31622400000 -- a year
local RECORD = '^(' .. string.rep('.', CONTENT_CHARACTERS) .. ')(%d+)-(%d+)-(%d+)$'

local skus, users, orders, tokens, hold = request[5], request[6], request[7], request[8], request[9]
if type(skus) ~= 'table' or type(users) ~= 'table' or type(orders) ~= 'table' or type(tokens) ~= 'table' then
  return refuse('MALFORMED', 'skus, users, orders or tokens is not an array')
end
if not is_integer(hold, 0, MAX_HOLD_MS) then
  return refuse('MALFORMED', 'the hold is not a whole number of ms')
end
if #users < 1 or #users > MAX_ORDERS then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_ORDERS .. ' orders')
end
local position_of = {}
for position = 1, #skus do
  local sku = skus[position]
  if type(sku) ~= 'string' or position_of[sku] then
    return refuse('MALFORMED', 'a sku is not a string or stands there twice')
  end
  position_of[sku] = position
end

-- Where each order's lines begin in `orders`. The walk must end exactly at the end of the array.
local starts, wishlist_users = {}, {}
local cursor, lines = 1, 0
for position = 1, #users do
  local count = orders[cursor]
  if type(users[position]) ~= 'string' or not is_integer(count, 0, MAX_LINES_OF_ORDER) then
    return refuse('MALFORMED', string.format('order %d has no user or no count of lines', position))
  end
  starts[position] = cursor
  cursor = cursor + 1 + 2 * count
  lines = lines + count
  if count == 0 then
    wishlist_users[#wishlist_users + 1] = users[position]
  end
end
if cursor ~= #orders + 1 or lines > MAX_LINES or #skus > lines then
  return refuse('MALFORMED', 'the lines do not add up or are more than ' .. MAX_LINES)
end

-- What each keyed order's key has led to before, and what it leads to in this call.
local scope_of, content_of, scopes = {}, {}, {}
for at = 1, #tokens, 2 do
  local position, token = tokens[at], tokens[at + 1]
  if not is_integer(position, 1, #users) or type(token) ~= 'string' or #token ~= SCOPE_CHARACTERS + CONTENT_CHARACTERS then
    return refuse('MALFORMED', 'an idempotency token has no order or is not 33 characters')
  end
  scope_of[position] = string.sub(token, 1, SCOPE_CHARACTERS)
  content_of[position] = string.sub(token, SCOPE_CHARACTERS + 1)
  scopes[#scopes + 1] = scope_of[position]
end
local record_of = find_records(RING, scopes)
local accepted_here = {}

-- Wishlists become lines of their own here: sku positions go on after those of the request.
local wishlist_of, wishlist_lines, added = {}, {}, {}
if #wishlist_users > 0 then
  local stored = redis.call('HMGET', KEYS[6], unpack(wishlist_users))
  for index = 1, #wishlist_users do
    wishlist_of[wishlist_users[index]] = stored[index]
  end
  for position = 1, #users do
    local packed = orders[starts[position]] == 0 and wishlist_of[users[position]]
    if packed then
      local content = cmsgpack.unpack(packed)
      lines = lines + #content / 2
      if lines > MAX_LINES then
        lines = lines - #content / 2
        wishlist_lines[position] = DEFERRED
      else
        for at = 1, #content, 2 do
          local sku = content[at]
          if not position_of[sku] then
            added[#added + 1] = sku
            skus[#skus + 1] = sku
            position_of[sku] = #skus
          end
          content[at] = position_of[sku]
        end
        wishlist_lines[position] = content
      end
    end
  end
end

local prices, levels = {}, {}
if #skus > 0 then
  prices = redis.call('HMGET', KEYS[5], unpack(skus))
  levels = redis.call('HMGET', KEYS[4], unpack(skus))
end
for position = 1, #skus do
  prices[position] = tonumber(prices[position] or -1)
  levels[position] = to_level(levels[position]) or -1
end

local results, entry_users, entry_orders, entry_tokens, taken = {}, {}, {}, {}, {}
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
-- large, corrupt and short.
local function obstacle(source, first, last, order)
  local total, unknown, corrupt, short = 0, nil, nil, nil
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
  return unknown or (total > MAX_SAFE_INTEGER and { TOO_LARGE }) or corrupt or short
end

local function take(source, first, last)
  local kept = hold > 0 and {}
  for at = first, last, 2 do
    local position, quantity = source[at], source[at + 1]
    levels[position] = levels[position] - quantity
    changed[position] = true
    entry_orders[entry_count + 1] = position
    entry_orders[entry_count + 2] = quantity
    entry_count = entry_count + 2
    if kept then
      kept[#kept + 1] = skus[position]
      kept[#kept + 1] = quantity
    end
  end
  taken[#entry_users + 1] = kept
end

local function accept(order, source, first, last)
  local from_wishlist = orders[starts[order]] == 0
  local count, index = (last - first + 1) / 2, #entry_users
  entry_orders[entry_count + 1] = from_wishlist and FROM_WISHLIST or 0
  entry_orders[entry_count + 2] = count
  entry_count = entry_count + 2
  take(source, first, last)
  put(ACCEPTED)
  put(index)
  put(from_wishlist and count or 0)
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
  local count, first, source = orders[starts[order]], starts[order] + 1, orders
  if count == 0 then
    source, first = wishlist_lines[order], 1
    if source == DEFERRED then
      return put(DEFERRED)
    elseif not source or emptied[users[order]] then
      return put(EMPTY)
    end
    count = #source / 2
  end
  local last = first + 2 * count - 1
  local refusal = obstacle(source, first, last, order)
  if refusal then
    return put_all(refusal)
  end
  accept(order, source, first, last)
end

for position = 1, #users do
  decide(position)
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence = -1
if #entry_users > 0 then
  entry_sequence = append_entry({ FORMAT, 'orders', now, skus, prices, entry_users, entry_orders, entry_tokens, hold })
  local fields = {}
  for position in pairs(changed) do
    fields[#fields + 1] = skus[position]
    fields[#fields + 1] = string.format('%d', levels[position])
  end
  redis.call('HSET', KEYS[4], unpack(fields))
  local gone = {}
  for user in pairs(emptied) do
    gone[#gone + 1] = user
  end
  if #gone > 0 then
    redis.call('HDEL', KEYS[6], unpack(gone))
  end
  if hold > 0 then
    local deadlines, held = {}, {}
    for index = 1, #taken do
      local place = string.format('%s-%d-%d', epoch, entry_sequence, index - 1)
      deadlines[2 * index - 1], deadlines[2 * index] = string.format('%d', now + hold), place
      held[2 * index - 1], held[2 * index] = place, cmsgpack.pack(taken[index])
    end
    redis.call('ZADD', KEYS[7], unpack(deadlines))
    redis.call('HSET', KEYS[8], unpack(held))
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
return answer({ entry_sequence, added, prices, results })
