import { measureJournalBytes, readMemoryLimit } from '../redis/backlog-reader.ts';
import type { RedisClient } from '../redis/client.ts';
import { countEntries } from '../redis/journal-stream.ts';
import type { Clock } from '../runtime/clock.ts';

/** How much of the journal may wait for MariaDB. */
export interface BacklogSize {
  readonly entries: number;
  readonly bytes: number;
}

/** What one look found. */
export interface BacklogReading extends BacklogSize {
  readonly bound: BacklogSize;
  /** When Redis answered, by the monotonic clock. */
  readonly readAtMs: number;
}

export interface BacklogBoundOptions {
  /** 0 = derived from what Redis has of memory. */
  readonly limits: BacklogSize;
  readonly clock: Clock;
}

/** The rest is for levels, prices, wishlists, holds and records. */
const DERIVED_SHARE = 1 / 2;
const LARGEST_SHARE = 3 / 4;
/** It closes at the bound and opens below this part of it: not at every entry that the writer commits. */
const OPENS_BELOW = 0.9;
/** What the smallest entry that carries an order takes (docs/DATA.md: one placed order a call). */
const SMALL_ENTRY_BYTES = 94;
/** A journal of more entries is measured in bytes only so often, because that has a cost; its entries are always counted. */
const CHEAP_ENTRIES = 20_000;
const MEASURE_EVERY_MS = 5_000;

/**
 * The bound of what may wait for MariaDB (P7). Redis's memory is finite, and a full one refuses everything: before that, the
 * journal is said to be full and whoever asks is refused with 503, until the writer has drained a tenth of it.
 *
 * Looked at once a second, so what is decided within a second may pass the bound: that is what the rest of the memory is for.
 */
export class BacklogBound {
  readonly #options: BacklogBoundOptions;
  #reading: BacklogReading | null = null;
  #measured = { entries: 0, bytes: 0, atMs: Number.NEGATIVE_INFINITY };
  /** Made once for each time that the journal is full: a sentence that changed at every look would fill the log. */
  #reason: string | null = null;

  constructor(options: BacklogBoundOptions) {
    this.#options = options;
  }

  /** What the last look found; null before the first. */
  get reading(): BacklogReading | null {
    return this.#reading;
  }

  /** Why nothing more may be written, a sentence; null when there is room. Rejects when Redis does not answer. */
  async look(redis: RedisClient): Promise<string | null> {
    const limit = await readMemoryLimit(redis);
    const bound = this.#bound(limit);
    const entries = await countEntries(redis);
    const bytes = await this.#bytes(redis, entries);
    this.#reading = { entries, bytes, bound, readAtMs: this.#options.clock.monotonicMs() };
    return excess(bound.bytes, limit) ?? this.#fullness(this.#reading);
  }

  #bound(limit: number): BacklogSize {
    const { limits } = this.#options;
    const bytes = limits.bytes || Math.floor(limit * DERIVED_SHARE);
    return { bytes, entries: limits.entries || Math.max(1, Math.floor(bytes / SMALL_ENTRY_BYTES)) };
  }

  /** Between two measurements of a long journal its entries are taken to be as large as they were. */
  async #bytes(redis: RedisClient, entries: number): Promise<number> {
    const now = this.#options.clock.monotonicMs();
    if (entries <= CHEAP_ENTRIES || now - this.#measured.atMs >= MEASURE_EVERY_MS)
      this.#measured = { entries, bytes: await measureJournalBytes(redis), atMs: now };
    const { entries: then, bytes } = this.#measured;
    return then === entries || then === 0 ? bytes : Math.round((bytes / then) * entries);
  }

  #fullness({ entries, bytes, bound }: BacklogReading): string | null {
    const share = Math.max(entries / bound.entries, bytes / bound.bytes);
    if (share < OPENS_BELOW) this.#reason = null;
    else if (share >= 1) this.#reason ??= describeFull({ entries, bytes }, bound);
    return this.#reason;
  }
}

function excess(bytes: number, limit: number): string | null {
  const most = Math.floor(limit * LARGEST_SHARE);
  if (bytes <= most) return null;
  return (
    `JOURNAL_BYTES is ${bytes}, more than three quarters of what Redis may use of memory (${limit} bytes): ` +
    `set it to at most ${most}, or raise maxmemory`
  );
}

function describeFull(is: BacklogSize, bound: BacklogSize): string {
  return (
    `the journal is full: ${is.entries} entries, ${is.bytes} bytes wait for MariaDB, ` +
    `the bound is ${bound.entries} entries, ${bound.bytes} bytes: see docs/RUNBOOK.md`
  );
}
