-- UTF-8 has one byte a character that is not between 128 and 191.
local function count_characters(text)
  return select(2, string.gsub(text, '[^\128-\191]', ''))
end
