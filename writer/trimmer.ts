import { formatPlace, parseOrderId } from '../engine/domain/order-id.ts';
import { comparePositions, ORIGIN, type Position } from '../engine/domain/position.ts';
import type { Entry, StoredEntry } from '../engine/journal/entry.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { type SettledMark, trimJournal } from '../engine/redis/commands/trim-journal.ts';
import { decodeEntry, readStoredEntriesAfter } from '../engine/redis/journal-stream.ts';
import type { Clock } from '../engine/runtime/clock.ts';
import type { Logger } from '../engine/runtime/logger.ts';

const ENTRIES_OF_A_READ = 256;

/**
 * Drops from the journal what is committed, and with each entry the marks of the orders that it settled. The marks of an entry
 * that was set aside stay: MariaDB does not know what became of those orders, and must not be asked.
 */
export class Trimmer {
  readonly #parts: { redis: RedisClient; clock: Clock; logger: Logger };
  /** Orders that committed entries settled, until the entries are trimmed and the marks with them. */
  #settled: SettledMark[] = [];

  constructor(parts: { redis: RedisClient; clock: Clock; logger: Logger }) {
    this.#parts = parts;
  }

  /** Notes what the next trim may drop beside the entries. */
  committed(entries: readonly Entry[]): void {
    for (const entry of entries) this.#settled.push(...marksOf(entry));
  }

  /**
   * Whoever committed last may have died before it trimmed: reads what it left, up to `checkpoint`, and trims that. Entries of
   * which `isSetAside` says so keep their marks.
   */
  async trimLeftovers(checkpoint: Position, isSetAside: (entry: StoredEntry) => boolean): Promise<void> {
    this.#settled = [];
    let from = ORIGIN;
    for (;;) {
      const page = await readStoredEntriesAfter(this.#parts.redis, from, {
        count: ENTRIES_OF_A_READ,
        last: checkpoint,
      });
      this.committed(page.filter((stored) => !isSetAside(stored)).map(decodeEntry));
      from = page.at(-1)?.position ?? from;
      if (page.length < ENTRIES_OF_A_READ) break;
    }
    if (from !== ORIGIN) await this.trim(checkpoint);
  }

  /** A failure loses nothing: the next trim covers it. */
  async trim(committed: Position): Promise<void> {
    const { redis, clock, logger } = this.#parts;
    try {
      const trimmed = await trimJournal(redis, { committed, settled: this.#settled, nowMs: clock.nowMs() });
      this.#settled = this.#settled.filter(({ position }) => comparePositions(position, trimmed) > 0);
    } catch (error) {
      logger.warn({ error: (error as Error).message }, 'journal not trimmed; the next trim covers it');
    }
  }
}

/** The marks that Redis keeps of the orders that an entry settled. */
export function marksOf(entry: Entry): SettledMark[] {
  if (entry.kind !== 'settlements') return [];
  const { position } = entry;
  return entry.settlements.map(({ orderId }) => ({ position, place: formatPlace(parseOrderId(orderId)!) }));
}
