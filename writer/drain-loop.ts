import { once } from 'node:events';
import { ExponentialBackoff, handleAll, type RetryPolicy, retry } from 'cockatiel';
import type { Database } from '../engine/database/database.ts';
import { readCheckpoint } from '../engine/database/statements/read-checkpoint.ts';
import { formatPlace, parseOrderId } from '../engine/domain/order-id.ts';
import {
  type Checkpoint,
  comparePositions,
  formatPosition,
  ORIGIN,
  type Position,
} from '../engine/domain/position.ts';
import type { Entry } from '../engine/journal/entry.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { type SettledMark, trimJournal } from '../engine/redis/commands/trim-journal.ts';
import { awaitEntriesAfter, decodeEntry, readEntriesAfter } from '../engine/redis/journal-stream.ts';
import type { Clock } from '../engine/runtime/clock.ts';
import type { Logger } from '../engine/runtime/logger.ts';
import { applyEntries, CheckpointMoved } from './apply.ts';

export interface DrainLoopOptions {
  readonly redis: RedisClient;
  /** A connection for nothing but waiting: a blocked read holds up all else on it. */
  readonly blockingRedis: RedisClient;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly entriesPerTransaction: number;
}

const BLOCK_MS = 1_000;
/** More than any writer leaves behind: it trims after each commit. What is past it stays until the next start. */
const MAX_ENTRIES_LEFT = 100_000;

/**
 * Drains the journal into MariaDB, for ever. Modes, and what leaves each:
 *
 * - STARTING: the checkpoint is not known. Reads it -> WAITING.
 * - WAITING: blocked on the journal after the checkpoint. Entries arrive -> APPLYING; none for a second -> WAITING;
 *   stop -> STOPPED.
 * - APPLYING: one transaction holds the entries and the moved checkpoint. Committed -> TRIMMING. A stop waits for it.
 * - TRIMMING: drops from the journal what is committed, never more (P5) -> WAITING. A failure here loses nothing:
 *   the next trim covers it.
 * - BACKING_OFF: something failed. Nothing is skipped and nothing given up: after a pause -> STARTING, because
 *   whether a commit whose answer was lost took place is known only to the checkpoint.
 * - STOPPED: final.
 *
 * Any number of writers may run: the conditional checkpoint lets one commit, the others start over from it.
 */
export class DrainLoop {
  readonly #options: DrainLoopOptions;
  readonly #stopping = new AbortController();
  readonly #retry: RetryPolicy;
  #checkpoint: Checkpoint | null = null;
  /** Orders that committed entries settled, until the entries are trimmed and the marks with them. */
  #settled: SettledMark[] = [];
  readonly #applied: { entries: number; checkpoint: string | null } = { entries: 0, checkpoint: null };

  constructor(options: DrainLoopOptions) {
    this.#options = options;
    const backoff = new ExponentialBackoff({ initialDelay: 50, maxDelay: 5_000 });
    this.#retry = retry(handleAll, { maxAttempts: Number.POSITIVE_INFINITY, backoff });
    this.#retry.onFailure(({ reason }) => this.#startOver(reason));
  }

  /** Runs until `stop` is called; resolves to what was applied since the start. */
  async run(): Promise<{ entries: number; checkpoint: string | null }> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#retry
        .execute(() => this.#step(), signal)
        .catch((error: Error) => {
          if (!signal.aborted) throw error;
        });
    }
    return this.#applied;
  }

  /** The batch in hand is finished; `run` then resolves. */
  stop(): void {
    this.#stopping.abort();
    this.#options.blockingRedis.disconnect();
  }

  async #step(): Promise<void> {
    const { blockingRedis, database, entriesPerTransaction: count } = this.#options;
    if (this.#stopping.signal.aborted) return;
    if (blockingRedis.status !== 'ready')
      await once(blockingRedis, 'ready', { signal: this.#stopping.signal });
    this.#checkpoint ??= await this.#start();
    const stored = await awaitEntriesAfter(blockingRedis, this.#checkpoint, { count, blockMs: BLOCK_MS });
    if (stored.length === 0) return;
    const entries = stored.map(decodeEntry);
    this.#checkpoint = await applyEntries(database, this.#checkpoint, entries);
    this.#applied.entries += entries.length;
    this.#applied.checkpoint = formatPosition(this.#checkpoint);
    this.#settled.push(...marksOf(entries));
    await this.#trim(this.#checkpoint);
  }

  /** Whoever committed last may have died before it trimmed: what it left is trimmed from here. */
  async #start(): Promise<Checkpoint> {
    const { redis, database } = this.#options;
    const checkpoint = await readCheckpoint(database);
    const committed = await readEntriesAfter(redis, ORIGIN, { count: MAX_ENTRIES_LEFT, last: checkpoint });
    this.#settled = marksOf(committed);
    if (committed.length > 0) await this.#trim(checkpoint);
    return checkpoint;
  }

  async #trim(committed: Position): Promise<void> {
    const { redis, clock, logger } = this.#options;
    try {
      const trimmed = await trimJournal(redis, { committed, settled: this.#settled, nowMs: clock.nowMs() });
      this.#settled = this.#settled.filter(({ position }) => comparePositions(position, trimmed) > 0);
    } catch (error) {
      logger.warn({ error: (error as Error).message }, 'journal not trimmed; the next trim covers it');
    }
  }

  #startOver(failure: { error: Error } | { value: unknown }): void {
    this.#checkpoint = null;
    if (this.#stopping.signal.aborted) return;
    if ('error' in failure && failure.error instanceof CheckpointMoved) {
      this.#options.logger.info('another writer went ahead; going on from its checkpoint');
      return;
    }
    const message = 'error' in failure ? failure.error.message : String(failure.value);
    this.#options.logger.error({ error: message }, 'nothing applied; trying again');
  }
}

function marksOf(entries: readonly Entry[]): SettledMark[] {
  return entries.flatMap((entry) =>
    entry.kind === 'settlements'
      ? entry.settlements.map(({ orderId }) => ({
          position: entry.position,
          place: formatPlace(parseOrderId(orderId)!),
        }))
      : [],
  );
}
