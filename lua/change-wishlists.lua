#!lua
--[[
Sets and removes lines of wishlists. A wishlist keeps the order in which its products were first put on it.

KEYS
  1 epoch      string   the epoch in force
  2 lane       string   this caller's last sequence and reply
  3 journal    stream   one entry is appended if anything changes
  4 prices     hash     sku -> minor units of the currency; a sku is known exactly if it is here
  5 wishlists  hash     user -> MessagePack [sku, quantity, sku, quantity, ...]

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] changes  array   flat: user (string), sku (string), quantity (units; 0 = remove the line), ...

REPLY MessagePack array
  [1] sequence  integer   of the journal entry within the epoch; -1 when nothing changed
  [2] results   integers  for each change: 1 DONE (also if it was so already), 2 UNKNOWN product, 3 FULL

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 5 commands and 2 for epoch and lane, whatever the batch: HMGET x 2, XADD, HSET, HDEL; MGET, SET.
]]
--@include envelope

local DONE, UNKNOWN, FULL = 1, 2, 3
local MAX_CHANGES, MAX_LINES_OF_WISHLIST, MAX_QUANTITY = 1000, 1000, 1000000

local changes = request[5]
if not is_array(changes) or #changes < 3 or #changes > 3 * MAX_CHANGES or #changes % 3 ~= 0 then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_CHANGES .. ' changes of three values')
end
local users, skus = {}, {}
for at = 1, #changes, 3 do
  if
    type(changes[at]) ~= 'string'
    or type(changes[at + 1]) ~= 'string'
    or not is_integer(changes[at + 2], 0, MAX_QUANTITY)
  then
    return refuse('MALFORMED', string.format('change %d has a value out of range', (at + 2) / 3))
  end
  users[#users + 1] = changes[at]
  skus[#skus + 1] = changes[at + 1]
end

local stored = redis.call('HMGET', KEYS[5], unpack(users))
local prices = redis.call('HMGET', KEYS[4], unpack(skus))
local wishlist_of, changed, entry_changes = {}, {}, {}
for index = 1, #users do
  if not wishlist_of[users[index]] then
    wishlist_of[users[index]] = stored[index] and cmsgpack.unpack(stored[index]) or {}
  end
end

local function position_in(wishlist, sku)
  for at = 1, #wishlist, 2 do
    if wishlist[at] == sku then
      return at
    end
  end
end

local function note(user, sku, quantity)
  changed[user] = true
  entry_changes[#entry_changes + 1] = { user, sku, quantity }
  return DONE
end

local function remove(user, sku)
  local wishlist = wishlist_of[user]
  local at = position_in(wishlist, sku)
  if not at then
    return DONE
  end
  table.remove(wishlist, at)
  table.remove(wishlist, at)
  return note(user, sku, 0)
end

local function set(user, sku, quantity)
  local wishlist = wishlist_of[user]
  local at = position_in(wishlist, sku)
  if not at then
    if #wishlist >= 2 * MAX_LINES_OF_WISHLIST then
      return FULL
    end
    at = #wishlist + 1
    wishlist[at] = sku
  elseif wishlist[at + 1] == quantity then
    return DONE
  end
  wishlist[at + 1] = quantity
  return note(user, sku, quantity)
end

local results = {}
for index = 1, #users do
  local quantity = changes[3 * index]
  if quantity == 0 then
    results[index] = remove(users[index], skus[index])
  elseif not prices[index] then
    results[index] = UNKNOWN
  else
    results[index] = set(users[index], skus[index], quantity)
  end
end

-- Everything is decided; from here on there are only writes that cannot fail.
local entry_sequence = -1
if #entry_changes > 0 then
  entry_sequence = append_entry({ FORMAT, 'wishlists', now, entry_changes })
  local kept, gone = {}, {}
  for user in pairs(changed) do
    if #wishlist_of[user] > 0 then
      kept[#kept + 1] = user
      kept[#kept + 1] = cmsgpack.pack(wishlist_of[user])
    else
      gone[#gone + 1] = user
    end
  end
  if #kept > 0 then
    redis.call('HSET', KEYS[5], unpack(kept))
  end
  if #gone > 0 then
    redis.call('HDEL', KEYS[5], unpack(gone))
  end
end
return answer({ entry_sequence, results })
