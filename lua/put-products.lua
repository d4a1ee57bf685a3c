#!lua
--[[
Creates products with their first stock, or changes their price and details. Stock counts only at creation: a level
is never set again.

KEYS
  1 epoch      string   the epoch in force
  2 lane       string   this caller's last sequence and reply
  3 journal    stream   one entry is appended if anything changes
  4 levels     hash     level field -> units available
  5 prices     hash     sku -> minor units of the currency; a sku is known exactly if it is here
  6 catalogue  hash     sku -> JSON of the details that are shown

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] products  array   flat: sku (string), price (minor units), stock (units, at creation), details (string), ...

REPLY MessagePack array
  [1] sequence  integer   of the journal entry within the epoch; -1 when nothing changed
  [2] results   integers  for each product: 1 CREATED, 2 CHANGED, 3 UNCHANGED

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 7 commands and 2 for epoch and lane, whatever the batch: HMGET x 2, EXISTS, XADD, HSET x 3; MGET, SET.
]]
--@include envelope

local CREATED, CHANGED, UNCHANGED = 1, 2, 3
local MAX_PRODUCTS, MAX_PRICE, MAX_STOCK = 1000, 1000000000000, 1000000000000
local NO_STOCK = -1 -- in the entry: the product was there already, its level stays

local products = request[5]
if not is_array(products) or #products < 4 or #products > 4 * MAX_PRODUCTS or #products % 4 ~= 0 then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_PRODUCTS .. ' products of four values')
end
local skus = {}
for at = 1, #products, 4 do
  local sku, price, stock, details = products[at], products[at + 1], products[at + 2], products[at + 3]
  if
    type(sku) ~= 'string'
    or sku == ''
    or not is_integer(price, 0, MAX_PRICE)
    or not is_integer(stock, 0, MAX_STOCK)
    or type(details) ~= 'string'
  then
    return refuse('MALFORMED', string.format('product %d has a value out of range', (at + 3) / 4))
  end
  skus[#skus + 1] = sku
end

-- What each sku is now, kept up to date while the batch is decided: a sku may be named twice.
local price_of, details_of = {}, {}
local stored_prices = redis.call('HMGET', KEYS[5], unpack(skus))
local stored_details = redis.call('HMGET', KEYS[6], unpack(skus))
for index = 1, #skus do
  price_of[skus[index]] = tonumber(stored_prices[index] or nil)
  details_of[skus[index]] = stored_details[index]
end

local results, entry_products = {}, {}
local new_levels, new_prices, new_details = {}, {}, {}

local function put(sku, price, stock, details)
  local known = price_of[sku] ~= nil
  if known and price_of[sku] == price and details_of[sku] == details then
    return UNCHANGED
  end
  price_of[sku], details_of[sku] = price, details
  new_prices[#new_prices + 1] = sku
  new_prices[#new_prices + 1] = string.format('%d', price)
  new_details[#new_details + 1] = sku
  new_details[#new_details + 1] = details
  if not known then
    new_levels[#new_levels + 1] = sku
    new_levels[#new_levels + 1] = string.format('%d', stock)
  end
  entry_products[#entry_products + 1] = { sku, price, known and NO_STOCK or stock, details }
  return known and CHANGED or CREATED
end

for at = 1, #products, 4 do
  results[#results + 1] = put(products[at], products[at + 1], products[at + 2], products[at + 3])
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence = -1
if #entry_products > 0 then
  -- Nothing can be in a journal before there is a product.
  local begins = epoch == '1' and redis.call('EXISTS', KEYS[5]) == 0
  entry_sequence = append_entry({ FORMAT, 'products', now, entry_products }, begins)
  redis.call('HSET', KEYS[5], unpack(new_prices))
  redis.call('HSET', KEYS[6], unpack(new_details))
  if #new_levels > 0 then
    redis.call('HSET', KEYS[4], unpack(new_levels))
  end
end
return answer({ entry_sequence, results })
