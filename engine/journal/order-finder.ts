import type { Database } from '../database/database.ts';
import { readOrder } from '../database/statements/read-order.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import type { OwnedOrder } from '../domain/order.ts';
import { type OrderPlace, parseOrderId } from '../domain/order-id.ts';
import type { RedisClient } from '../redis/client.ts';
import { readEntryAt } from '../redis/journal-stream.ts';

/**
 * Finds an order by its id, wherever it is: in the journal from the moment it is decided, in MariaDB from before it
 * leaves the journal. Reads the journal first, so that an order on its way between the two is not missed. Null when
 * there is no such order. Rejects with `NotAccepting` when one of the two could not be asked and the other does not
 * have it.
 */
export async function findOrder(
  redis: RedisClient,
  database: Database,
  id: string,
): Promise<OwnedOrder | null> {
  const place = parseOrderId(id);
  if (!place) return null;
  try {
    return (await findInJournal(redis, place)) ?? (await readOrder(database, id));
  } catch (error) {
    const kept = await readOrder(database, id).catch(() => null);
    if (kept) return kept;
    if (error instanceof InternalFault) throw error;
    throw new NotAccepting(`the order cannot be read now: ${(error as Error).message}`);
  }
}

async function findInJournal(redis: RedisClient, place: OrderPlace): Promise<OwnedOrder | null> {
  const entry = await readEntryAt(redis, place);
  if (entry?.kind !== 'orders') return null;
  const found = entry.orders[place.index];
  return found ? { userId: found.userId, order: found.order } : null;
}
