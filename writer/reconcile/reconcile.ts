import type { Database } from '../../engine/database/database.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { withSnapshot } from '../../engine/database/statements/read-ledger.ts';
import { comparePositions, follows, formatPosition, type Position } from '../../engine/domain/position.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readCut } from '../../engine/redis/cut.ts';
import { pinJournal } from '../../engine/redis/journal-pin.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { foldEntries } from '../fold.ts';
import { compareSides } from './compare.ts';
import type { Drift } from './drift.ts';

/** What `bootakhae reconcile --json` prints (the contract). */
export interface Reconciliation {
  readonly consistent: boolean;
  readonly epoch: number;
  /** The journal id of the instant that was compared. */
  readonly cut: string;
  /** Entries that MariaDB had not committed at that instant. */
  readonly backlog: number;
  readonly levels: number;
  readonly orders: number;
  readonly drifts: readonly Drift[];
}

export interface ReconcileOptions {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly clock: Clock;
}

const ENTRIES_OF_A_READ = 200;
/** Should this process die with the journal pinned, trimming goes on after that long. */
const PIN_MS = 120_000;

/**
 * Compares Redis, the journal and MariaDB at one consistent cut, during live traffic:
 *
 * 1. pin the journal at MariaDB's checkpoint: from now on nothing after it is trimmed;
 * 2. open a snapshot of MariaDB: it stands at a checkpoint C at or after the pin;
 * 3. read Redis and its last journal id L in one transaction: L is at or after C, because MariaDB has nothing that
 *    the journal did not have first;
 * 4. read the entries between C and L, which the pin has kept: Redis must be the snapshot with those folded in.
 *
 * Rejects when one of the two cannot be read.
 */
export async function reconcile({ redis, database, clock }: ReconcileOptions): Promise<Reconciliation> {
  const pin = await pinJournal(redis, await readCheckpoint(database), clock.nowMs() + PIN_MS);
  try {
    return await withSnapshot(database, async ({ checkpoint, readLedger }) => {
      const cut = await readCut(redis);
      const entries = await readRange(redis, checkpoint, cut.position);
      await pin.release();
      const ledger = await readLedger();
      const backlog = foldEntries(entries);
      const drifts = [
        ...findJournalDrift(checkpoint, entries, cut.position),
        ...compareSides({ cut, ledger, backlog }),
      ];
      return {
        consistent: drifts.length === 0,
        epoch: cut.epoch,
        cut: formatPosition(cut.position),
        backlog: entries.length,
        levels: cut.levels.size,
        orders: ledger.orders + backlog.orders.length,
        drifts,
      };
    });
  } finally {
    await pin.release().catch(() => undefined); // it lapses by itself
  }
}

async function readRange(redis: RedisClient, after: Position, last: Position): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let from = after; ; ) {
    const page = await readEntriesAfter(redis, from, { count: ENTRIES_OF_A_READ, last });
    entries.push(...page);
    if (page.length < ENTRIES_OF_A_READ) return entries;
    from = page.at(-1)!.position;
  }
}

/** From the checkpoint to the cut there must be every entry, each following the one before. */
function findJournalDrift(checkpoint: Position, entries: readonly Entry[], cut: Position): Drift[] {
  let reached = checkpoint;
  for (const { position } of entries) {
    if (!follows(reached, position)) break;
    reached = position;
  }
  if (comparePositions(reached, cut) === 0) return [];
  const [redis, database] = [cut.sequence, checkpoint.sequence];
  const difference = cut.epoch === reached.epoch ? cut.sequence - reached.sequence : null;
  return [
    { sku: null, pool: null, kind: 'journal', redis, database, expected: reached.sequence, difference },
  ];
}
