-- Where the lines of each order of place-orders are: in the request, or on its user's wishlist.
--
-- KEYS of a script that includes this, after order-request: 6 wishlists.
local DEFERRED = 5

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

-- Where an order's lines are: the array and its first and last place there; nil for a wishlist without lines.
local function lines_of(order)
  local count = orders[starts[order]]
  if count > 0 then
    return orders, starts[order] + 1, starts[order] + 2 * count
  end
  local source = wishlist_lines[order]
  if type(source) == 'table' then
    return source, 1, #source
  end
end
