import type { Database } from '../database/database.ts';
import { readDeadLetter } from '../database/statements/read-dead-letter.ts';
import { readOrder } from '../database/statements/read-order.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import type { KeptOrder, OrderStatus } from '../domain/order.ts';
import { formatPlace, type OrderPlace, parseOrderId } from '../domain/order-id.ts';
import { comparePositions, parsePosition } from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { decodeEntry, readEntryAt } from '../redis/journal-stream.ts';
import { KEYS } from '../redis/keys.ts';
import type { Entry } from './entry.ts';

/**
 * Finds an order by its id, wherever it is: in the journal from the moment it is decided, in MariaDB from before it
 * leaves the journal, among the dead letters where MariaDB refused it. Null when there is no such order. Rejects with `NotAccepting` when one of the two could not be
 * asked and the other does not have it.
 *
 * What became of it since is in a mark until MariaDB has it. The order moves from the journal to MariaDB, and its marks
 * go after that, so they are read in this order: mark, journal, MariaDB. A mark and a row both say as of which entry
 * they are: the newer one holds.
 */
export async function findOrder(
  redis: RedisClient,
  database: Database,
  id: string,
): Promise<KeptOrder | null> {
  const place = parseOrderId(id);
  if (!place) return null;
  try {
    const mark = await redis.hget(KEYS.settled, formatPlace(place));
    const found =
      (await findInJournal(redis, place)) ??
      (await readOrder(database, id)) ??
      (await findSetAside(database, place));
    return found && mark ? withMark(found, mark) : found;
  } catch (error) {
    if (error instanceof InternalFault) throw error;
    throw new NotAccepting(`the order cannot be read now: ${(error as Error).message}`);
  }
}

function withMark(found: KeptOrder, mark: string): KeptOrder {
  const [status, entry] = mark.split(' ') as [OrderStatus, string];
  return comparePositions(parsePosition(entry), found.asOf) > 0 ? { ...found, status } : found;
}

async function findInJournal(redis: RedisClient, place: OrderPlace): Promise<KeptOrder | null> {
  return takeFrom(await readEntryAt(redis, place), place);
}

async function findSetAside(database: Database, place: OrderPlace): Promise<KeptOrder | null> {
  const stored = await readDeadLetter(database, place);
  return stored && takeFrom(decodeEntry(stored), place);
}

function takeFrom(entry: Entry | null, place: OrderPlace): KeptOrder | null {
  if (entry?.kind !== 'orders') return null;
  const found = entry.orders[place.index];
  if (!found) return null;
  return { userId: found.userId, order: found.order, status: found.order.status, asOf: entry.position };
}
