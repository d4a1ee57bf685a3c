#!lua
-- One order a call: checks every line, takes the stock, appends the order to a stream. What a careful shop writes
-- without an engine.
-- KEYS levels hash, prices hash, journal stream.  ARGV user, clock (ms), then sku, quantity, sku, quantity, ...
-- REPLY {'ok', journal id, price, price, ...} | {'short', sku, available, ...} | {'unknown', sku, ...}
local skus = {}
for at = 3, #ARGV, 2 do
  skus[#skus + 1] = ARGV[at]
end
local levels = redis.call('HMGET', KEYS[1], unpack(skus))
local prices = redis.call('HMGET', KEYS[2], unpack(skus))
local fields, unknown, short = {}, { 'unknown' }, { 'short' }
for index = 1, #skus do
  local quantity = tonumber(ARGV[2 * index + 2])
  local level = tonumber(levels[index] or nil)
  if not prices[index] or not level then
    unknown[#unknown + 1] = skus[index]
  elseif level < quantity then
    short[#short + 1] = skus[index]
    short[#short + 1] = levels[index]
  else
    fields[#fields + 1] = skus[index]
    fields[#fields + 1] = string.format('%d', level - quantity)
  end
end
if #unknown > 1 then
  return unknown
elseif #short > 1 then
  return short
end
local id = redis.call('XADD', KEYS[3], '*', 'user', ARGV[1], 'at', ARGV[2],
  'lines', table.concat(ARGV, ' ', 3), 'prices', table.concat(prices, ' '))
redis.call('HSET', KEYS[1], unpack(fields))
return { 'ok', id, unpack(prices) }
