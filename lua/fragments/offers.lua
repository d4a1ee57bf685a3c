-- What sale events make of SKUs: at their price, from their own pool, up to a limit for each customer.
--
-- An offer stands in the hash of offers from the opening of its event to the close: sku -> MessagePack array
--   event (id), price (minor units), limit (units for each customer; 0 = none), hold (ms; 0 = placed at once),
--   starts, ends (ms since 1970), epoch, sequence (of the journal entry that opened the event).
-- Before it starts and once it has ended, by the clock of the call, its lines are sold from `regular` as if it were
-- not there, whether the event was closed in time or not.
--
-- A limit is counted over held and placed orders: hash of counts, "epoch-sequence" of the opening, NUL, sku, NUL, user ->
-- units. So an event that opens again counts from nothing, and what an old opening left behind is never read.

local function read_offer(packed)
  local event, price, limit, hold, starts, ends, in_epoch, in_sequence = unpack(cmsgpack.unpack(packed))
  return {
    event = event,
    price = price,
    limit = limit,
    hold = hold,
    starts = starts,
    ends = ends,
    epoch = in_epoch,
    sequence = in_sequence,
  }
end

-- The field of the hash of levels where `event`'s units of `sku` stand; those of `regular` stand under the sku itself.
local function field_of_event(sku, event)
  return sku .. '\0' .. event
end

-- sku and event id of a level field; the id is nil for `regular`.
local function split_field(field)
  local nul = string.find(field, '\0', 1, true)
  if not nul then
    return field, nil
  end
  return string.sub(field, 1, nul - 1), string.sub(field, nul + 1)
end

local function field_of_count(offer, sku, user)
  return string.format('%d-%d', offer.epoch, offer.sequence) .. '\0' .. sku .. '\0' .. user
end
