-- Levels of stock as whole numbers, read and written many at a time.

-- A level that is missing or is no whole number of units is nil, never zero.
local function to_level(text)
  local level = tonumber(text or nil)
  return is_integer(level, 0, MAX_SAFE_INTEGER) and level or nil
end

-- What the levels at `key` become when units go back to them (`units`: sku -> units): flat fields for HSET. Nil, and the sku,
-- when a level is missing.
local function levels_with(key, units)
  local skus = {}
  for sku in pairs(units) do
    skus[#skus + 1] = sku
  end
  local fields = {}
  local stored = #skus > 0 and redis.call('HMGET', key, unpack(skus)) or {}
  for index = 1, #skus do
    local level = to_level(stored[index])
    if not level then
      return nil, skus[index]
    end
    fields[#fields + 1] = skus[index]
    fields[#fields + 1] = string.format('%d', level + units[skus[index]])
  end
  return fields
end
