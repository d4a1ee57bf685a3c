#!lua
--[[
Confirms and cancels orders. An order that is held is known here; of one that is not, the caller says what it read of
it elsewhere, and as of which place in the journal.

KEYS
  1 epoch    string  the epoch in force
  2 lane     string  this caller's last sequence and reply
  3 journal  stream  one entry is appended if any order changes
  4 levels   hash    level field -> units available
  5 holds    zset    order place -> when its hold ends, ms since 1970
  6 held     hash    order place -> MessagePack [sku, quantity, ...]
  7 settled  hash    order place -> "status epoch-sequence", until MariaDB has it
  8 forgotten string "epoch-sequence": the newest entry whose marks in `settled` are gone

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] requests  array  each [place, action, status, units, epoch, sequence]: place of the order "epoch-sequence-index";
                         action 1 = confirm, 2 = cancel; then what the caller read: its status, its units (flat: sku,
                         quantity, ...), and the journal entry as of which it read that

REPLY MessagePack array
  [1] sequence  integer  of the journal entry within the epoch; -1 when nothing changed
  [2] results   array    for each request [result, status]: 1 DONE, 2 ALREADY so, 3 IMPOSSIBLE from its status, 4 AGAIN: what
                         the caller read may be out of date, read again; status is what the order's is now

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, CORRUPT.

COST at most 10 commands and 2 for epoch and lane, whatever the batch: HMGET x 3, GET, XADD, HSET x 2, ZREM, HDEL, ZMSCORE; MGET, SET.
]]
--@include envelope
--@include stock
--@include settlement

local DONE, ALREADY, IMPOSSIBLE, AGAIN = 1, 2, 3, 4
local CONFIRM, CANCEL = 1, 2
local MAX_REQUESTS, MAX_UNITS_OF_CALL = 256, 3900

local requests = request[5]
if type(requests) ~= 'table' or #requests < 1 or #requests > MAX_REQUESTS then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_REQUESTS .. ' requests')
end

local function are_units(units)
  if type(units) ~= 'table' or #units % 2 ~= 0 then
    return false
  end
  for at = 1, #units, 2 do
    if type(units[at]) ~= 'string' or not is_integer(units[at + 1], 1, 1000000) then
      return false
    end
  end
  return true
end

local places, lines = {}, 0
for index = 1, #requests do
  local place, action, status, units = unpack(requests[index])
  if
    type(place) ~= 'string'
    or not string.match(place, '^%d+-%d+-%d+$')
    or (action ~= CONFIRM and action ~= CANCEL)
    or type(status) ~= 'string'
    or not are_units(units)
    or not is_integer(requests[index][5], 0, 4294967295)
    or not is_integer(requests[index][6], 0, MAX_SAFE_INTEGER)
  then
    return refuse('MALFORMED', string.format('request %d has a value out of range', index))
  end
  places[index] = place
  lines = lines + #units / 2
end
if lines > MAX_UNITS_OF_CALL then
  return refuse('MALFORMED', 'the orders have more than ' .. MAX_UNITS_OF_CALL .. ' lines')
end

local held = redis.call('HMGET', KEYS[6], unpack(places))
local settled = redis.call('HMGET', KEYS[7], unpack(places))
local deadlines = redis.call('ZMSCORE', KEYS[5], unpack(places))
local forgotten_epoch, forgotten_sequence = string.match(redis.call('GET', KEYS[8]) or '0-0', '^(%d+)-(%d+)$')
forgotten_epoch, forgotten_sequence = tonumber(forgotten_epoch), tonumber(forgotten_sequence)

local settlements, results, status_of = {}, {}, {}
local lines_back = 0

-- Whether a settlement may have been read past: its mark gone from here, and not yet in what the caller read.
local function is_out_of_date(read_epoch, read_sequence)
  return read_epoch < forgotten_epoch or (read_epoch == forgotten_epoch and read_sequence < forgotten_sequence)
end

local function change(index, status, units)
  settlements[#settlements + 1] = { places[index], status, units }
  lines_back = lines_back + (status == 'placed' and 0 or #units / 2)
  status_of[places[index]] = status
  return { DONE, status }
end

-- What becomes of an order of this status: the state diagram of docs/DATA.md, "The life of an order".
local function next_step(index, status, units)
  local action = requests[index][2]
  local wanted = action == CONFIRM and 'placed' or 'cancelled'
  if status == wanted then
    return { ALREADY, status }
  elseif status == 'held' and deadlines[index] and tonumber(deadlines[index]) <= now then
    change(index, 'expired', units)
    return { IMPOSSIBLE, 'expired' }
  elseif status == 'held' or (status == 'placed' and action == CANCEL) then
    return change(index, wanted, units)
  end
  return { IMPOSSIBLE, status }
end

for index = 1, #requests do
  local _, _, status, units, read_epoch, read_sequence = unpack(requests[index])
  local known = status_of[places[index]] or (settled[index] and string.match(settled[index], '^%a+'))
  if known then
    results[index] = next_step(index, known, units)
  elseif held[index] then
    results[index] = next_step(index, 'held', cmsgpack.unpack(held[index]))
  elseif is_out_of_date(read_epoch, read_sequence) then
    results[index] = { AGAIN, status }
  else
    results[index] = next_step(index, status, units)
  end
end

-- What is held here may be longer than what the caller said: too much for one HSET, and the entry would stand already.
if lines_back > MAX_UNITS_OF_CALL then
  return refuse('MALFORMED', 'the orders have more than ' .. MAX_UNITS_OF_CALL .. ' lines to give back')
end

local entry_sequence = -1
if #settlements > 0 then
  local missing
  entry_sequence, missing = settle(settlements)
  if not entry_sequence then
    return refuse('CORRUPT', 'the level of "' .. missing .. '" is missing')
  end
end
return answer({ entry_sequence, results })
