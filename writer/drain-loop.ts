import { once } from 'node:events';
import { ExponentialBackoff, handleAll, type RetryPolicy, retry } from 'cockatiel';
import type { Database } from '../engine/database/database.ts';
import { readCheckpoint } from '../engine/database/statements/read-checkpoint.ts';
import { formatPosition, type Position } from '../engine/domain/position.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { trimJournal } from '../engine/redis/commands/trim-journal.ts';
import { awaitEntriesAfter } from '../engine/redis/journal-stream.ts';
import type { Clock } from '../engine/runtime/clock.ts';
import type { Logger } from '../engine/runtime/logger.ts';
import { applyEntries } from './apply.ts';

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
  #checkpoint: Position | null = null;
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
    this.#checkpoint ??= await readCheckpoint(database);
    const entries = await awaitEntriesAfter(blockingRedis, this.#checkpoint, { count, blockMs: BLOCK_MS });
    if (entries.length === 0) return;
    this.#checkpoint = await applyEntries(database, this.#checkpoint, entries);
    this.#applied.entries += entries.length;
    this.#applied.checkpoint = formatPosition(this.#checkpoint);
    await this.#trim(this.#checkpoint);
  }

  async #trim(committed: Position): Promise<void> {
    const { redis, clock, logger } = this.#options;
    await trimJournal(redis, committed, clock.nowMs()).catch((error: Error) => {
      logger.warn({ error: error.message }, 'journal not trimmed; the next trim covers it');
    });
  }

  #startOver(failure: { error: Error } | { value: unknown }): void {
    this.#checkpoint = null;
    if (this.#stopping.signal.aborted) return;
    const message = 'error' in failure ? failure.error.message : String(failure.value);
    this.#options.logger.error({ error: message }, 'nothing applied; trying again');
  }
}
