import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Transaction } from '../engine/database/database.ts';
import { Lease, LeaseLost } from '../engine/database/lease.ts';
import { insertDeadLetters } from '../engine/database/statements/insert-dead-letters.ts';
import { readCheckpoint } from '../engine/database/statements/read-checkpoint.ts';
import { readDeadLetterPositions } from '../engine/database/statements/read-dead-letter-positions.ts';
import { type Checkpoint, formatPosition, ORIGIN } from '../engine/domain/position.ts';
import type { DecodedEntry } from '../engine/journal/entry.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { readFirstPosition } from '../engine/redis/journal-stream.ts';
import type { Clock } from '../engine/runtime/clock.ts';
import { Histogram } from '../engine/runtime/histogram.ts';
import type { Logger } from '../engine/runtime/logger.ts';
import { runPeriodically } from '../engine/runtime/periodic.ts';
import { CheckpointMoved, moveCheckpoint, writeEntries } from './apply.ts';
import { BackOff } from './back-off.ts';
import { BatchSize } from './batch-size.ts';
import type { DrainMode, DrainStatus, Lag } from './drain-status.ts';
import { applyOrIsolate } from './isolate.ts';
import { readLag } from './lag.ts';
import { type Batch, ReadAhead, type ReadEntry } from './read-ahead.ts';
import type { Refusal } from './refusal.ts';
import { Trimmer } from './trimmer.ts';

/** The moments around a commit at which a writer that dies leaves something different behind. */
export type CommitPoint = 'before transaction' | 'before commit' | 'after commit' | 'after trim';

export interface DrainLoopOptions {
  readonly redis: RedisClient;
  /** A connection for nothing but waiting: a blocked read holds up all else on it. */
  readonly blockingRedis: RedisClient;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most that one transaction may take in, however quickly MariaDB commits. */
  readonly entriesPerTransaction: number;
  /** Is told of each such moment and waited for; for tests that stop or kill a writer there. */
  readonly at?: (point: CommitPoint) => Promise<void> | void;
}

const BLOCK_MS = 1_000;
const LOOK_FOR_LEASE_MS = 1_000;
const MEASURE_LAG_MS = 1_000;
/** Past that a transaction gains nothing (docs/PERFORMANCE.md) and holds its locks for longer. */
const ROWS_OF_TRANSACTION = 20_000;

/**
 * Drains the journal into MariaDB, for ever. Modes, and what leaves each:
 *
 * - STARTING: asks for the lease: another writer has it -> STANDBY. With it, reads the checkpoint, and trims what a writer that
 *   died after its commit left -> WAITING.
 * - STANDBY: another writer works. Looks once a second; its lease has lapsed or was given back -> STARTING.
 * - WAITING: blocked on the journal after the checkpoint. Entries are there -> APPLYING; none for a second -> WAITING, the
 *   lease renewed; another has the lease -> STANDBY.
 * - APPLYING: one transaction holds the entries, the moved checkpoint and the renewed lease. Committed -> TRIMMING; MariaDB
 *   refuses what they hold -> ISOLATING. A stop waits for it.
 * - ISOLATING: the batch is applied in halves, down to the entry that is refused alone. That one goes into `dead_letters`, whole,
 *   in the transaction that moves the checkpoint past it; all others are applied -> TRIMMING.
 * - TRIMMING: drops from the journal what is committed, never more (P5) -> WAITING. A failure here loses nothing:
 *   the next trim covers it.
 * - BACKING_OFF: something failed that may pass, a gap and an entry of a later format among it. Nothing is skipped and nothing
 *   given up: after a pause -> STARTING, because whether a commit whose answer was lost took place is known only to the checkpoint.
 * - STOPPED: final. The lease is given back.
 *
 * Any number of writers may run: the lease has one of them work, and whatever becomes of it the conditional checkpoint
 * lets one commit; the others start over from it.
 */
export class DrainLoop {
  readonly #options: DrainLoopOptions;
  readonly #stopping = new AbortController();
  readonly #lease: Lease;
  readonly #size: BatchSize;
  readonly #backOff: BackOff;
  readonly #trimmer: Trimmer;
  readonly #commitTimes = new Histogram();
  #mode: DrainMode = 'STARTING';
  #checkpoint: Checkpoint | null = null;
  #lag: Lag | null = null;
  readonly #done = { entries: 0, rows: 0, commits: 0, setAside: 0, commitMs: null as number | null };

  constructor(options: DrainLoopOptions) {
    this.#options = options;
    this.#lease = new Lease({ ...options, name: 'writer' });
    this.#size = new BatchSize(options.entriesPerTransaction);
    this.#backOff = new BackOff(options.logger);
    this.#trimmer = new Trimmer(options);
  }

  get status(): DrainStatus {
    const { entries, rows, commits, setAside, commitMs } = this.#done;
    return {
      mode: this.#mode,
      hasLease: this.#lease.isHeld,
      checkpoint: this.#checkpoint,
      lag: this.#lag,
      batchEntries: this.#size.entries,
      commitMs,
      entriesApplied: entries,
      rowsApplied: rows,
      commits,
      commitTimes: this.#commitTimes,
      retries: this.#backOff.retries,
      retriesByReason: this.#backOff.retriesByReason,
      setAside,
      lastError: this.#backOff.lastError,
    };
  }

  /** Runs until `stop` is called; resolves to what was applied since the start. */
  async run(): Promise<{ entries: number; checkpoint: string | null }> {
    const { signal } = this.#stopping;
    const stopMeasuring = this.#measureLag();
    while (!signal.aborted) {
      await this.#work().catch((error: unknown) => this.#recover(error));
    }
    await stopMeasuring();
    await this.#lease.release();
    this.#mode = 'STOPPED';
    const checkpoint = this.#checkpoint && formatPosition(this.#checkpoint);
    return { entries: this.#done.entries, checkpoint: this.#done.commits > 0 ? checkpoint : null };
  }

  /** The batch in hand is finished; `run` then resolves. */
  stop(): void {
    this.#stopping.abort();
    this.#options.blockingRedis.disconnect();
  }

  /** From STARTING on, until something goes wrong or the loop is stopped. Rejects then. */
  async #work(): Promise<void> {
    await this.#takeLease();
    const { redis, blockingRedis } = this.#options;
    if (blockingRedis.status !== 'ready') await once(blockingRedis, 'ready', this.#stopping);
    const journal = new ReadAhead({ redis, blockingRedis }, await this.#start());
    for (;;) {
      await this.#waitFor(journal);
      await journal.fill(this.#bounds());
      const batch = journal.take(this.#bounds());
      // While MariaDB is at work, the entries after these are read: a failure there is met again by the next reading.
      const ahead = journal.fill(this.#bounds()).catch(() => undefined);
      await this.#apply(batch).finally(() => ahead);
      this.#mode = 'TRIMMING';
      await this.#trimmer.trim(this.#checkpoint!);
      await this.#options.at?.('after trim');
    }
  }

  async #takeLease(): Promise<void> {
    const { logger } = this.#options;
    this.#mode = 'STARTING';
    if (await this.#lease.take()) return;
    logger.info('another writer has the lease: standing by');
    this.#mode = 'STANDBY';
    this.#checkpoint = null;
    this.#lag = null;
    this.#backOff.succeeded();
    do await pause(LOOK_FOR_LEASE_MS, undefined, this.#stopping);
    while (!(await this.#lease.take()));
    logger.info('the lease is free: taking over');
  }

  async #start(): Promise<Checkpoint> {
    const { redis, database } = this.#options;
    this.#mode = 'STARTING';
    const checkpoint = await readCheckpoint(database);
    const first = (await readFirstPosition(redis)) ?? ORIGIN;
    const setAside = new Set((await readDeadLetterPositions(database, first)).map(formatPosition));
    await this.#trimmer.trimLeftovers(checkpoint, ({ position }) => setAside.has(formatPosition(position)));
    this.#checkpoint = checkpoint;
    return checkpoint;
  }

  /** Resolves when there is something to apply. */
  async #waitFor(journal: ReadAhead): Promise<void> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      this.#mode = 'WAITING';
      if (await journal.wait(BLOCK_MS)) return;
      await this.#lease.renewIfDue();
      this.#backOff.succeeded();
    }
  }

  async #apply({ entries, isFull }: Batch): Promise<void> {
    const { clock, logger } = this.#options;
    this.#mode = 'APPLYING';
    const startedAt = clock.monotonicMs();
    await applyOrIsolate(entries, {
      apply: (part) => this.#commit(part),
      setAside: (entry, refusal) => this.#setAside(entry, refusal),
      bisecting: (part) => {
        this.#mode = 'ISOLATING';
        logger.debug({ entries: part.length }, 'MariaDB refuses one of these: applying them in halves');
      },
    });
    this.#size.committed({ ms: clock.monotonicMs() - startedAt, isFull });
    this.#backOff.succeeded();
  }

  async #commit(read: readonly ReadEntry[]): Promise<void> {
    const { at } = this.#options;
    const entries = read.map(entryOf);
    await at?.('before transaction');
    await this.#transact(async (transaction) => {
      const checkpoint = await writeEntries(transaction, this.#checkpoint!, entries);
      await this.#lease.renewIn(transaction);
      await at?.('before commit');
      return checkpoint;
    });
    this.#trimmer.committed(entries);
    this.#done.entries += read.length;
    this.#done.rows += read.reduce((sum, { rows }) => sum + rows, 0);
    await at?.('after commit');
  }

  async #setAside({ position, content, entry }: ReadEntry, refusal: Refusal): Promise<void> {
    await this.#transact(async (transaction) => {
      await moveCheckpoint(transaction, this.#checkpoint!, position);
      await insertDeadLetters(transaction, [{ position, content, kind: entry?.kind ?? null, ...refusal }]);
      await this.#lease.renewIn(transaction);
      return { ...position, fence: this.#checkpoint!.fence };
    });
    this.#done.setAside += 1;
    this.#options.logger.error(
      { entry: formatPosition(position), kind: entry?.kind, ...refusal },
      'set aside, it can never be applied as it is: see bootakhae dead-letters list',
    );
  }

  /** Only between transactions is there a place to stop. */
  async #transact(work: (transaction: Transaction) => Promise<Checkpoint>): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const startedAt = this.#options.clock.monotonicMs();
    this.#checkpoint = await this.#options.database.transaction(work);
    this.#done.commitMs = this.#options.clock.monotonicMs() - startedAt;
    this.#commitTimes.observe(this.#done.commitMs / 1_000);
    this.#done.commits += 1;
  }

  /** -> STARTING. Whoever was overtaken has nothing to complain of. */
  async #recover(error: unknown): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    this.#mode = 'BACKING_OFF';
    if (error instanceof CheckpointMoved || error instanceof LeaseLost) {
      this.#options.logger.info({ reason: error.message }, 'another writer went ahead; nothing was changed');
      return;
    }
    this.#size.failed();
    await this.#backOff.afterFailure(error, signal).catch(() => undefined);
  }

  #bounds() {
    return { entries: this.#size.entries, rows: ROWS_OF_TRANSACTION };
  }

  #measureLag(): () => Promise<void> {
    const { redis, clock, logger } = this.#options;
    return runPeriodically({
      name: 'measure the lag',
      everyMs: MEASURE_LAG_MS,
      logger,
      run: async () => {
        const checkpoint = this.#checkpoint;
        if (checkpoint && redis.status === 'ready')
          this.#lag = await readLag(redis, checkpoint, clock.nowMs());
      },
    });
  }
}

/** Throws why it cannot be read: of several entries in a batch the one is found by bisecting, like any other. */
function entryOf({ entry, fault }: ReadEntry): DecodedEntry {
  if (!entry) throw fault;
  return entry;
}
