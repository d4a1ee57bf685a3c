-- What place-orders is asked, taken apart and checked whole before anything is read: its header says what ARGV holds. A line's
-- own values are the order's business: one that is out of range spoils its order and no neighbour (P2).
--
-- Leaves: skus, users, orders, hold; position_of (sku -> its position), starts (where an order's lines begin in `orders`), lines
-- (how many there are), wishlist_users (who orders a wishlist); by batch position scope_of and content_of (of its
-- idempotency key) and expected_total; scopes (of all keys).
local MAX_ORDERS, MAX_LINES, MAX_LINES_OF_ORDER = 1024, 3900, 1000
local MAX_HOLD_MS = 31536000000

local skus, users, orders, tokens, hold, totals = unpack(request, 5, 10)
for _, array in ipairs({ skus or 0, users or 0, orders or 0, tokens or 0, totals or 0 }) do
  if type(array) ~= 'table' then
    return refuse('MALFORMED', 'skus, users, orders, tokens or totals is not an array')
  end
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
  if not is_integer(position, 1, #users) or not is_token(token) then
    return refuse('MALFORMED', 'an idempotency token has no order or is not 33 characters')
  end
  scope_of[position] = string.sub(token, 1, SCOPE_CHARACTERS)
  content_of[position] = string.sub(token, SCOPE_CHARACTERS + 1)
  scopes[#scopes + 1] = scope_of[position]
end
local expected_total = {}
for at = 1, #totals, 2 do
  local position, total = totals[at], totals[at + 1]
  if not is_integer(position, 1, #users) or not is_integer(total, 0, MAX_SAFE_INTEGER) then
    return refuse('MALFORMED', 'an expected total has no order or is out of range')
  end
  expected_total[position] = total
end
