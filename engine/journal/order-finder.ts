import type { Database } from '../database/database.ts';
import { readOrder } from '../database/statements/read-order.ts';
import { readWaitingDeadLetter } from '../database/statements/read-waiting-dead-letter.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import { isAhead, type KeptOrder, type OrderStatus } from '../domain/order.ts';
import { formatPlace, type OrderPlace, parseOrderId } from '../domain/order-id.ts';
import type { Position } from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { decodeEntry, readEntryAt } from '../redis/journal-stream.ts';
import { KEYS } from '../redis/keys.ts';
import type { Entry } from './entry.ts';

/**
 * Finds an order by its id, wherever it is: in the journal from the moment it is decided, in MariaDB from before it
 * leaves the journal, or among the dead letters that are waiting, where MariaDB has refused its entry. Null when there is no such order. Rejects with `NotAccepting` when one of the two could not be
 * asked and the other does not have it.
 *
 * What became of it since is in a mark until MariaDB has it. The order moves from the journal to MariaDB, and its marks
 * go after that, so they are read in this order: mark, journal, MariaDB. An order never goes back, so whichever of mark and row
 * is further along its life holds: a row may be newer than a mark, and a mark newer than a row where the settlement was set aside.
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
      (await findInDeadLetters(database, place));
    return found && mark ? withMark(found, mark) : found;
  } catch (error) {
    if (error instanceof InternalFault) throw error;
    throw new NotAccepting(`the order cannot be read now: ${(error as Error).message}`);
  }
}

function withMark(found: KeptOrder, mark: string): KeptOrder {
  const [status] = mark.split(' ') as [OrderStatus];
  return isAhead(status, found.status) ? { ...found, status } : found;
}

async function findInJournal(redis: RedisClient, place: OrderPlace): Promise<KeptOrder | null> {
  const entry = await readEntryAt(redis, place);
  return entry && orderIn(entry, place.index, entry.position);
}

/** Its settlements are set aside like itself, and their marks stay: what it became is in its mark. */
async function findInDeadLetters(database: Database, place: OrderPlace): Promise<KeptOrder | null> {
  const letter = await readWaitingDeadLetter(database, place);
  return letter && orderIn(decodeEntry(letter.stored), place.index, letter.asOf);
}

function orderIn(entry: Entry, index: number, asOf: Position): KeptOrder | null {
  const found = entry.kind === 'orders' ? entry.orders[index] : undefined;
  return found ? { userId: found.userId, order: found.order, status: found.order.status, asOf } : null;
}
