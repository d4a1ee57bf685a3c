-- Levels of stock as whole numbers.

-- A level that is missing or is no whole number of units is nil, never zero.
local function to_level(text)
  local level = tonumber(text or nil)
  return is_integer(level, 0, MAX_SAFE_INTEGER) and level or nil
end
