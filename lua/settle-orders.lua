#!lua
--[[
Confirms and cancels orders. An order that is held is known here; of one that is not, the caller says what it read of
it elsewhere, and as of which place in the journal.

KEYS
  1 epoch    string  the epoch in force
  2 lane     string  this caller's last sequence and reply
  3 journal  stream  one entry is appended if any order changes, or an idempotency key was used
  4 levels   hash    level field -> units available
  5 holds    zset    order place -> when its hold ends, ms since 1970
  6 held     hash    order place -> MessagePack [user, units], units flat: level field, quantity, ...
  7 settled  hash    order place -> "status epoch-sequence", until MariaDB has it
  8 offers   hash    sku -> the offer of an open event (lua/fragments/offers.lua)
  9 counts   hash    opening, sku and user -> units in live orders (lua/fragments/offers.lua)
  10 forgotten string "epoch-sequence": the newest entry whose marks in `settled` are gone
  11 idempotency string  the ring's current slot (lua/fragments/idempotency.lua)
  12 slot    hash    its slots 1 to 6 are keys 12 to 17
  13 slot    hash
  14 slot    hash
  15 slot    hash
  16 slot    hash
  17 slot    hash

ARGV
  1 MessagePack array, envelope head (lua/fragments/envelope.lua), then
    [5] requests  array  each [place, action, status, units, epoch, sequence, user, token, reason]: place of the order
                         "epoch-sequence-index"; action 1 = confirm, 2 = cancel; then what the caller read: its status, its
                         units (flat: level field, quantity, ...), the journal entry as of which it read that, and whose
                         order it is; then its idempotency token (string; '' = none), and why it is to be
                         cancelled (string, 0 to 255 characters; '' = nobody said)

REPLY MessagePack array
  [1] sequence  integer  of the journal entry within the epoch; -1 when nothing changed
  [2] results   array    for each request [result, status], status is what the order's is now:
        6 REPLAYED    the key was used for the same before: status is what it led to then; nothing is done now
        7 MISMATCH    the key was used for something else before
        1 DONE
        2 ALREADY     so before
        3 IMPOSSIBLE  from its status
        4 AGAIN       what the caller read may be out of date: read again
        5 CORRUPT     its record here, or the level of one of its lines, is missing or spoilt: the order stays as it is

ERRORS (nothing is changed): MALFORMED, FORMAT, FENCED, STALE, LOST.

COST at most 10 commands and 2 for epoch and lane, whatever the batch: HMGET x 3, GET, XADD, HSET x 2, ZREM, HDEL, ZMSCORE; MGET, SET.
  For units of sale events: HMGET x 2, HSET, HDEL.
  Where a request carries an idempotency key: HMGET x 6, GET, HSET.
]]
--@include envelope
--@include stock
--@include characters
--@include offers
--@include settlement
--@include idempotency

local DONE, ALREADY, IMPOSSIBLE, AGAIN, CORRUPT, REPLAYED, MISMATCH = 1, 2, 3, 4, 5, 6, 7
local CONFIRM, CANCEL = 1, 2
local MAX_REQUESTS, MAX_LINES, MAX_REASON = 256, 3900, 255
local RING = 11
local STATUSES = { held = true, placed = true, cancelled = true, expired = true }

local requests = request[5]
if not is_array(requests) or #requests < 1 or #requests > MAX_REQUESTS then
  return refuse('MALFORMED', 'a call takes 1 to ' .. MAX_REQUESTS .. ' requests')
end

local function is_sound(asked)
  if type(asked) ~= 'table' then
    return false
  end
  local place, action, status, units, read_epoch, read_sequence, user, token, reason = unpack(asked, 1, 9)
  return is_place(place)
    and (action == CONFIRM or action == CANCEL)
    and STATUSES[status]
    and are_units(units)
    and is_integer(read_epoch, 0, 4294967295)
    and is_integer(read_sequence, 0, MAX_SAFE_INTEGER)
    and type(user) == 'string'
    and (token == '' or is_token(token))
    and type(reason) == 'string'
    and count_characters(reason) <= MAX_REASON
end

local places, scopes, lines = {}, {}, 0
for index = 1, #requests do
  if not is_sound(requests[index]) then
    return refuse('MALFORMED', string.format('request %d has a value out of range', index))
  end
  places[index] = requests[index][1]
  if requests[index][8] ~= '' then
    scopes[#scopes + 1] = scope_of_token(requests[index][8])
  end
  lines = lines + #requests[index][4] / 2
end
if lines > MAX_LINES then
  return refuse('MALFORMED', 'the orders have more than ' .. MAX_LINES .. ' lines')
end

local record_of = find_records(RING, scopes)
local held = redis.call('HMGET', KEYS[6], unpack(places))
local settled = redis.call('HMGET', KEYS[7], unpack(places))
local deadlines = redis.call('ZMSCORE', KEYS[5], unpack(places))
local forgotten_epoch, forgotten_sequence = string.match(redis.call('GET', KEYS[10]) or '0-0', '^(%d+)-(%d+)$')
forgotten_epoch, forgotten_sequence = tonumber(forgotten_epoch), tonumber(forgotten_sequence)

local function is_over(index)
  return deadlines[index] and tonumber(deadlines[index]) <= now
end

-- What would go back: of an order that is held, what stands here. Where that has not as many lines as the order, it is
-- spoilt; so what goes back is never more than what was asked for, which is bounded above.
local order_of, going_back = {}, {}
for index = 1, #requests do
  local read = requests[index][4]
  local units, user = read, requests[index][7]
  if held[index] then
    units, user = unpack_held(held[index])
  end
  if units and #units == #read then
    order_of[index] = { place = places[index], units = units, user = user }
    if requests[index][2] == CANCEL or is_over(index) then
      going_back[#going_back + 1] = order_of[index]
    end
  end
end
read_stock(going_back)

local results, status_of = {}, {}

-- Whether a settlement may have been read past: its mark gone from here, and not yet in what the caller read.
local function is_out_of_date(read_epoch, read_sequence)
  return read_epoch < forgotten_epoch or (read_epoch == forgotten_epoch and read_sequence < forgotten_sequence)
end

local function change(index, from, to, result)
  if not settle(places[index], to, order_of[index], to == 'cancelled' and requests[index][9] or '') then
    return { CORRUPT, from }
  end
  status_of[places[index]] = to
  return { result, to }
end

-- What becomes of an order of this status: the state diagram of docs/DATA.md, "The life of an order".
local function next_step(index, status)
  local action = requests[index][2]
  local wanted = action == CONFIRM and 'placed' or 'cancelled'
  if status == wanted then
    return { ALREADY, status }
  elseif status == 'held' and is_over(index) then
    return change(index, status, 'expired', IMPOSSIBLE)
  elseif status == 'held' or (status == 'placed' and action == CANCEL) then
    return change(index, status, wanted, DONE)
  end
  return { IMPOSSIBLE, status }
end

local function decide(index)
  local _, _, status, _, read_epoch, read_sequence = unpack(requests[index])
  if status_of[places[index]] then
    return next_step(index, status_of[places[index]])
  elseif settled[index] then
    local marked = string.match(settled[index], '^(%a+) %d+%-%d+$')
    return marked and next_step(index, marked) or { CORRUPT, status }
  elseif held[index] then
    return next_step(index, 'held')
  elseif is_out_of_date(read_epoch, read_sequence) then
    return { AGAIN, status }
  end
  return next_step(index, status)
end

-- What an idempotency key has led to before, in this call or an earlier one, or nil.
local function replay(token, status)
  local led_to = outcome_of(record_of, token, '^(%a+)$')
  if led_to then
    return { REPLAYED, led_to }
  elseif led_to == false then
    return { MISMATCH, status }
  end
end

-- A success is kept under its key, also one that had nothing to do: the order may change before it is asked for again.
local keyed, new_records = {}, {}
local function keep(token, result)
  if token == '' or (result[1] ~= DONE and result[1] ~= ALREADY) then
    return
  end
  keyed[#keyed + 1] = token
  keyed[#keyed + 1] = result[2]
  note_outcome(record_of, new_records, token, result[2])
end

for index = 1, #requests do
  local status, token = requests[index][3], requests[index][8]
  results[index] = replay(token, status)
  if not results[index] then
    results[index] = decide(index)
    keep(token, results[index])
  end
end
local entry_sequence = write_settlements(keyed)
if #new_records > 0 then
  keep_records(RING, new_records)
end
return answer({ entry_sequence, results })
