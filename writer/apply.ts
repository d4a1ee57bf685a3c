import type { Database, Transaction } from '../engine/database/database.ts';
import { advanceCheckpoint } from '../engine/database/statements/advance-checkpoint.ts';
import { changeLevels } from '../engine/database/statements/change-levels.ts';
import { changeWishlistItems } from '../engine/database/statements/change-wishlist-items.ts';
import { ensureLevels, insertLevels } from '../engine/database/statements/insert-levels.ts';
import { insertMovements } from '../engine/database/statements/insert-movements.ts';
import { insertOrderItems } from '../engine/database/statements/insert-order-items.ts';
import { insertOrders } from '../engine/database/statements/insert-orders.ts';
import { insertOutboxEntries } from '../engine/database/statements/insert-outbox-entries.ts';
import { updateOrderStatuses } from '../engine/database/statements/update-order-statuses.ts';
import { upsertEvents } from '../engine/database/statements/upsert-events.ts';
import { upsertIdempotencyKeys } from '../engine/database/statements/upsert-idempotency-keys.ts';
import { upsertOccurrences } from '../engine/database/statements/upsert-occurrences.ts';
import { upsertProducts } from '../engine/database/statements/upsert-products.ts';
import { InternalFault } from '../engine/domain/fault.ts';
import { type Checkpoint, follows, formatPosition, type Position } from '../engine/domain/position.ts';
import type { DecodedEntry, Entry } from '../engine/journal/entry.ts';
import { isOutward } from '../engine/outbox/level-changes.ts';
import { type Changes, foldEntries } from './fold.ts';

/** Another writer has moved the checkpoint: read it again and go on from there. Nothing was changed. */
export class CheckpointMoved extends Error {
  override readonly name = 'CheckpointMoved';
}

/** An entry is missing between two others: it would be an order that MariaDB never hears of (P5). */
export class JournalGap extends InternalFault {
  override readonly name = 'JournalGap';
}

/**
 * Applies `entries`, which follow `from` without a gap, and moves the checkpoint behind them: both in one
 * transaction, so that each entry is in MariaDB exactly once however often a writer dies (P4). Resolves to the new
 * checkpoint. Throws `CheckpointMoved`, `JournalGap`, or what MariaDB says; nothing is changed then.
 */
export async function applyEntries(
  database: Database,
  from: Checkpoint,
  entries: readonly DecodedEntry[],
): Promise<Checkpoint> {
  return await database.transaction((transaction) => writeEntries(transaction, from, entries));
}

/** The same within a transaction, which must be rolled back when this rejects. */
export async function writeEntries(
  transaction: Transaction,
  from: Checkpoint,
  entries: readonly DecodedEntry[],
): Promise<Checkpoint> {
  const to = assertContinuous(from, entries);
  const changes = foldEntries(entries);
  await moveCheckpoint(transaction, from, to);
  await writeChanges(transaction, changes);
  await noteForOutside(transaction, entries);
  return { ...to, fence: from.fence };
}

/**
 * Puts what outsiders are to be told of into the outbox. In the transaction that applies it, and which has the checkpoint's row: so each
 * entry is told if and only if MariaDB has it, in the order in which MariaDB took it in.
 */
export async function noteForOutside(
  transaction: Transaction,
  entries: readonly DecodedEntry[],
): Promise<void> {
  await insertOutboxEntries(transaction, entries.filter(isOutward));
}

/** Throws `CheckpointMoved` where it is not at `from` any more. */
export async function moveCheckpoint(
  transaction: Transaction,
  from: Checkpoint,
  to: Position,
): Promise<void> {
  if (await advanceCheckpoint(transaction, from, to)) return;
  throw new CheckpointMoved(`the checkpoint is not at ${formatPosition(from)} any more`);
}

/** Levels are made before they are changed; the rest could stand in any order. */
export async function writeChanges(transaction: Transaction, changes: Changes): Promise<void> {
  await upsertProducts(transaction, changes.products);
  await insertLevels(transaction, changes.newLevels);
  await upsertEvents(transaction, changes.events);
  await upsertOccurrences(transaction, changes.occurrences);
  await ensureLevels(transaction, changes.pools);
  await insertMovements(transaction, changes.movements);
  await insertOrders(transaction, changes.orders);
  await insertOrderItems(transaction, changes.items);
  await updateOrderStatuses(transaction, changes.statuses);
  await upsertIdempotencyKeys(transaction, changes.idempotencyKeys);
  await changeLevels(transaction, changes.levels);
  await changeWishlistItems(transaction, changes.wishlists);
}

function assertContinuous(from: Position, entries: readonly Entry[]): Position {
  let last = from;
  for (const { position } of entries) {
    if (!follows(last, position)) {
      throw new JournalGap(
        `the journal has a gap: after ${formatPosition(last)} comes ${formatPosition(position)}; nothing is applied past it`,
      );
    }
    last = position;
  }
  return last;
}
