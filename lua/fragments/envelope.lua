-- Opens a call that changes something: unpacks ARGV[1], fences off an old epoch, answers a repeated call.
--
-- Every such script has the same first three keys (epoch, lane, journal) and the same head in ARGV[1], a MessagePack
-- array: [1] envelope format (1), [2] the epoch the caller believes in, [3] the engine's clock in ms since 1970,
-- [4] the call's sequence within its lane, [5..] what the script's own header says.
--
-- A lane is one caller's string of calls, one in flight at a time. The lane's key keeps the last sequence and its
-- reply, so a caller that did not hear an answer sends the same bytes again and learns what happened; the effect
-- is had once (P4). A call older than the last one is refused: its answer is gone, and so is its caller.
local FORMAT = 1
local LANE_SECONDS = 86400
local MAX_SAFE_INTEGER = 9007199254740991 -- 2^53 - 1: Lua numbers are doubles

local function is_integer(value, lowest, highest)
  -- NaN fails both comparisons; infinity fails one of them.
  return type(value) == 'number' and value >= lowest and value <= highest and value == math.floor(value)
end

-- An array without holes: what stands behind a nil would be dropped unseen, because # may end there.
local function is_array(value)
  if type(value) ~= 'table' then
    return false
  end
  local count = 0
  for _ in pairs(value) do
    count = count + 1
  end
  return count == #value
end

local function refuse(code, detail)
  return redis.error_reply(code .. ' ' .. detail)
end

local unpacked, request = pcall(cmsgpack.unpack, ARGV[1])
if not unpacked or type(request) ~= 'table' then
  return refuse('MALFORMED', 'ARGV[1] is not a MessagePack array')
end
if request[1] ~= FORMAT then
  return refuse('FORMAT', 'this script speaks envelope format ' .. FORMAT)
end
if
  not is_integer(request[2], 1, 4294967295)
  or not is_integer(request[3], 0, MAX_SAFE_INTEGER)
  or not is_integer(request[4], 1, MAX_SAFE_INTEGER)
then
  return refuse('MALFORMED', 'epoch, clock or sequence is not a whole number in range')
end

local now = request[3]
local sequence = request[4]
local epoch, remembered = unpack(redis.call('MGET', KEYS[1], KEYS[2]))
if epoch ~= string.format('%d', request[2]) then
  return refuse('FENCED', 'the epoch is ' .. (epoch or 'not set') .. ', the call is of ' .. string.format('%d', request[2]))
end

if remembered then
  local last, reply = string.match(remembered, '^(%d+):(.*)$')
  if tonumber(last) == sequence then
    return reply
  elseif tonumber(last) > sequence then
    return refuse('STALE', 'the lane is at ' .. last .. ', the call is ' .. string.format('%d', sequence))
  end
end

-- The one way into the journal: `epoch-*` takes the next sequence of the epoch, never the wall clock. It is the first write of
-- every script. A journal that is gone is never begun anew by a call: its entries would have places that others had before
-- them, and MariaDB would take them for applied. Only the very first entry of all begins one (`begins`).
local function append_entry(entry, begins)
  local packed = cmsgpack.pack(entry)
  local id
  if begins then
    id = redis.call('XADD', KEYS[3], epoch .. '-*', 'entry', packed)
  else
    id = redis.call('XADD', KEYS[3], 'NOMKSTREAM', epoch .. '-*', 'entry', packed)
  end
  if not id then
    error(redis.error_reply('LOST the journal is gone'))
  end
  return tonumber(string.match(id, '-(%d+)$'))
end

-- The one way out: what is answered is remembered for a repeated call.
local function answer(reply)
  local packed = cmsgpack.pack(reply)
  redis.call('SET', KEYS[2], string.format('%d:', sequence) .. packed, 'EX', LANE_SECONDS)
  return packed
end
