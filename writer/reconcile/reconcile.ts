import type { Database } from '../../engine/database/database.ts';
import { type Snapshot, withSnapshot } from '../../engine/database/snapshot.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { readOpenEvents } from '../../engine/database/statements/read-event-pages.ts';
import {
  countOrders,
  readOrderPages,
  type UnsoundOrder,
} from '../../engine/database/statements/read-order-pages.ts';
import { readWaitingDeadLetters } from '../../engine/database/statements/read-waiting-dead-letters.ts';
import { levelField } from '../../engine/domain/pool.ts';
import { formatPosition } from '../../engine/domain/position.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readAtInstant } from '../../engine/redis/cut.ts';
import { type JournalPin, pinJournal } from '../../engine/redis/journal-pin.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { type Drift, driftOf, minus } from './drift.ts';
import { OpenEvents } from './event-rules.ts';
import { Findings } from './findings.ts';
import { JournalFollower, PIN_MS } from './journal-follower.ts';
import { subjectsOf } from './subjects.ts';

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
  /** Drifts that were found beyond those in `drifts`; absent = none. */
  readonly driftsLeftOut?: number;
}

export interface ReconcileOptions {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly clock: Clock;
  /** Keys that are compared at one instant, and rows of MariaDB that are read at once. */
  readonly keysOfPage?: number;
  readonly ordersOfPage?: number;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** How far a comparison is; `total` 0 = not known. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

const KEYS_OF_PAGE = 1_000;
const ORDERS_OF_PAGE = 10_000;

/**
 * Compares Redis, the journal and MariaDB at one consistent cut, during live traffic, in memory that does not grow with the
 * orders:
 *
 * 1. pin the journal at MariaDB's checkpoint: from now on nothing after it is trimmed;
 * 2. open a snapshot of MariaDB, for all that follows: it stands at a checkpoint C at or after the pin;
 * 3. look through all orders and lines of the snapshot, range by range;
 * 4. read Redis a page at a time, each in one transaction with its last journal id P: it is at or after C, because MariaDB
 *    has nothing that the journal did not have first. Fold the entries up to P, which the pin has kept: of the keys of
 *    the page, Redis must be the snapshot with those folded in.
 *
 * Pages stand at different instants, but each is compared with what it had to be at its own; every entry after a page changes
 * Redis by the same script that wrote the entry. So it is as if all had been compared at the last one, which is the cut.
 *
 * Rejects when one of the two cannot be read, or Redis is being rebuilt.
 */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  return (await compareAll(options)).reconciliation;
}

/** As `reconcile`, and also tells the last compensation that Redis had at the first instant: what `--fix` must name. */
export async function compareAll(
  options: ReconcileOptions,
): Promise<{ reconciliation: Reconciliation; compensated: string }> {
  const { redis, database, clock } = options;
  const pin = await pinJournal(redis, await readCheckpoint(database), clock.nowMs() + PIN_MS);
  try {
    return await withSnapshot(database, (snapshot) => compareSnapshot(options, snapshot, pin));
  } finally {
    await pin.release().catch(() => undefined); // it lapses by itself
  }
}

async function compareSnapshot(options: ReconcileOptions, snapshot: Snapshot, pin: JournalPin) {
  const { redis, clock } = options;
  const deadLetters = await readWaitingDeadLetters(snapshot.db);
  const follower = new JournalFollower({ redis, pin, clock, checkpoint: snapshot.checkpoint, deadLetters });
  const run: Run = { options, db: snapshot.db, follower, findings: new Findings() };
  await follow(run);
  const { compensated } = follower.instant;
  const { orders, ordered } = await compareOrders(run);
  await compareRedis(run, ordered);
  return { reconciliation: summarize(run, orders), compensated };
}

interface Run {
  readonly options: ReconcileOptions;
  readonly db: Snapshot['db'];
  readonly follower: JournalFollower;
  readonly findings: Findings;
}

/** Goes on to where Redis is now, so that neither the journal nor what is left to be read of it piles up. */
async function follow({ options, follower }: Run): Promise<void> {
  const { instant } = await readAtInstant(options.redis, () => undefined);
  await follower.advanceTo(instant);
}

/** MariaDB alone: every order with its lines. Resolves to how many there are, and the units in live ones by level field. */
async function compareOrders(run: Run): Promise<{ orders: number; ordered: Map<string, number> }> {
  const { options, db, findings } = run;
  const total = options.onProgress ? await countOrders(db) : 0;
  const ordered = new Map<string, number>();
  let orders = 0;
  for await (const page of readOrderPages(db, options.ordersOfPage ?? ORDERS_OF_PAGE)) {
    orders += page.orders;
    findings.add(page.unsound.map(toDrift));
    for (const { units, ...level } of page.live) {
      const field = levelField(level);
      ordered.set(field, (ordered.get(field) ?? 0) + units);
    }
    options.onProgress?.({ what: 'orders', done: orders, total });
    await follow(run);
  }
  return { orders, ordered };
}

function toDrift({ id: order, total, lines }: UnsoundOrder): Drift {
  const figures = { database: total, expected: lines, difference: minus(total, lines) };
  return driftOf({ kind: 'order_total', order, ...figures });
}

async function compareRedis(run: Run, ordered: Map<string, number>): Promise<void> {
  const { options, db, follower, findings } = run;
  const count = options.keysOfPage ?? KEYS_OF_PAGE;
  const events = new OpenEvents(await readOpenEvents(db));
  for (const { name, compare } of subjectsOf(db, { count, ordered, events })) {
    let done = 0;
    const compared = (keys: number) => {
      done += keys;
      options.onProgress?.({ what: name, done, total: 0 });
    };
    await compare({ redis: options.redis, follower, keysOfPage: count, found: findings.add, compared });
  }
}

function summarize({ follower, findings }: Run, orders: number): Reconciliation {
  const { instant, entries, tallies } = follower;
  const drifts = [...follower.drifts, ...findings.drifts];
  return {
    consistent: drifts.length === 0,
    epoch: instant.epoch,
    cut: formatPosition(instant.position),
    backlog: entries,
    levels: instant.levels,
    orders: orders + tallies[0]!.orders,
    drifts,
    ...(findings.leftOut > 0 && { driftsLeftOut: findings.leftOut }),
  };
}
