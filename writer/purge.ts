import { randomUUID } from 'node:crypto';
import type { Database } from '../engine/database/database.ts';
import type { LeaseName } from '../engine/database/lease.ts';
import { breakLease } from '../engine/database/statements/break-lease.ts';
import { deleteOutboxRows } from '../engine/database/statements/delete-outbox-rows.ts';
import { purgeIdempotencyKeys } from '../engine/database/statements/purge-idempotency-keys.ts';
import { hasOldOutboxRows, readOldOutboxRows } from '../engine/database/statements/read-old-outbox-rows.ts';
import { formatPosition } from '../engine/domain/position.ts';
import type { Entry } from '../engine/journal/entry.ts';
import { decodeEntry } from '../engine/redis/journal-stream.ts';
import type { Logger } from '../engine/runtime/logger.ts';

/** Deletes idempotency keys whose time is over, a bounded number at a time. `nowMs` since 1970. */
export async function purgeOldKeys(database: Database, nowMs: number, keepMs: number): Promise<void> {
  const usedBefore = new Date(nowMs - keepMs);
  while ((await purgeIdempotencyKeys(database, usedBefore)) > 0);
}

const ROWS_OF_PURGE = 500;
const PUBLISHER: LeaseName = 'outbox-publisher';

/** What was given up: so many entries, with so many messages about orders, and what they tell of stock. */
interface GivenUp {
  entries: number;
  orderMessages: number;
  first: string;
  last: string;
}

/**
 * Gives up what nobody has published for so many `days`, and says how much that is. An entry of a format that this program does not
 * know stays, and all after it: rejects with `UnknownFormat`.
 */
export async function purgeOutbox({
  database,
  logger,
  days,
}: {
  database: Database;
  logger: Logger;
  days: number;
}): Promise<void> {
  const total: GivenUp = { entries: 0, orderMessages: 0, first: '', last: '' };
  try {
    while (await hasOldOutboxRows(database, days)) {
      const entries = await purgePage(database, days);
      if (entries.length === 0) break;
      total.entries += entries.length;
      total.orderMessages += entries.reduce((sum, entry) => sum + countOrderMessages(entry), 0);
      total.first ||= formatPosition(entries[0]!.position);
      total.last = formatPosition(entries.at(-1)!.position);
    }
  } finally {
    if (total.entries > 0)
      logger.warn(
        { ...total, days },
        'given up: messages that nobody could publish; the world will never be told of them',
      );
  }
}

/**
 * The lease is broken in the same transaction: a publisher that is in the middle of these rows finds that it has lost it, and looks
 * at what is left from the beginning. Publishers lock in the same order.
 */
async function purgePage(database: Database, days: number): Promise<Entry[]> {
  return await database.transaction(async (transaction) => {
    await breakLease(transaction, PUBLISHER, randomUUID());
    const rows = await readOldOutboxRows(transaction, { days, count: ROWS_OF_PURGE });
    const entries = rows.map(decodeEntry);
    if (rows.length > 0) await deleteOutboxRows(transaction, { first: rows[0]!.id, last: rows.at(-1)!.id });
    return entries;
  });
}

function countOrderMessages(entry: Entry): number {
  if (entry.kind === 'orders') return entry.orders.length;
  return entry.kind === 'settlements' ? entry.settlements.length : 0;
}
