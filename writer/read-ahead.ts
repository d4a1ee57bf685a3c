import { follows, formatPosition, type Position } from '../engine/domain/position.ts';
import { type DecodedEntry, type StoredEntry, UnknownFormat } from '../engine/journal/entry.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { awaitEntriesAfter, decodeEntry, readStoredEntriesAfter } from '../engine/redis/journal-stream.ts';
import { JournalGap } from './apply.ts';
import { countRows } from './row-count.ts';

/** An entry as it was taken from the journal, and what could be made of it. */
export interface ReadEntry extends StoredEntry {
  /** Null where it cannot be read: `fault` says why. */
  readonly entry: DecodedEntry | null;
  readonly fault: Error | null;
  /** Rows of MariaDB that it touches, about. */
  readonly rows: number;
}

/** What one transaction may take in. */
export interface BatchBounds {
  readonly entries: number;
  readonly rows: number;
}

/** A batch that leaves nothing unsaid: it is full when the bounds ended it rather than the journal. */
export interface Batch {
  readonly entries: readonly ReadEntry[];
  readonly isFull: boolean;
}

const ENTRIES_OF_A_READ = 256;

/** The journal after the checkpoint, read and decoded ahead of what is applied: while MariaDB commits, Redis answers. */
export class ReadAhead {
  readonly #redis: RedisClient;
  readonly #blockingRedis: RedisClient;
  #buffer: ReadEntry[] = [];
  #taken: Position;
  #read: Position;

  constructor(clients: { redis: RedisClient; blockingRedis: RedisClient }, from: Position) {
    this.#redis = clients.redis;
    this.#blockingRedis = clients.blockingRedis;
    this.#taken = from;
    this.#read = from;
  }

  /** Resolves when something is there to take, or after `blockMs` with nothing. */
  async wait(blockMs: number): Promise<boolean> {
    if (this.#buffer.length > 0) return true;
    const count = ENTRIES_OF_A_READ;
    this.#keep(await awaitEntriesAfter(this.#blockingRedis, this.#read, { count, blockMs }));
    return this.#buffer.length > 0;
  }

  /** Reads on until a whole batch is there or the journal ends. */
  async fill(bounds: BatchBounds): Promise<void> {
    while (!this.#isFull(bounds)) {
      const stored = await readStoredEntriesAfter(this.#redis, this.#read, { count: ENTRIES_OF_A_READ });
      this.#keep(stored);
      if (stored.length < ENTRIES_OF_A_READ) return;
    }
  }

  /**
   * Takes the next entries, at least one. The batch ends before a gap and before an entry that this program is too old to
   * read: what stands before those can be applied. Throws `JournalGap` or `UnknownFormat` where nothing does.
   */
  take(bounds: BatchBounds): Batch {
    const count = this.#countOfBatch(bounds);
    if (count === 0) throw this.#obstacle();
    const isFull = this.#isFull(bounds);
    const entries = this.#buffer.splice(0, count);
    this.#taken = entries.at(-1)!.position;
    return { entries, isFull };
  }

  #isFull({ entries, rows }: BatchBounds): boolean {
    if (this.#buffer.length >= entries) return true;
    return this.#buffer.reduce((sum, one) => sum + one.rows, 0) >= rows;
  }

  #countOfBatch({ entries, rows }: BatchBounds): number {
    let [count, sum, last] = [0, 0, this.#taken];
    for (const next of this.#buffer) {
      if (count === entries || (count > 0 && sum + next.rows > rows)) break;
      if (!follows(last, next.position) || next.fault instanceof UnknownFormat) break;
      [count, sum, last] = [count + 1, sum + next.rows, next.position];
    }
    return count;
  }

  #obstacle(): Error {
    const { position, fault } = this.#buffer[0]!;
    if (follows(this.#taken, position)) return fault!;
    return new JournalGap(
      `the journal has a gap: after ${formatPosition(this.#taken)} comes ${formatPosition(position)}; nothing is applied past it`,
    );
  }

  #keep(stored: readonly StoredEntry[]): void {
    for (const one of stored) this.#buffer.push(readStored(one));
    this.#read = stored.at(-1)?.position ?? this.#read;
  }
}

/** Reads an entry, or says why it cannot be read. */
export function readStored(stored: StoredEntry): ReadEntry {
  try {
    const entry = decodeEntry(stored);
    return { ...stored, entry, fault: null, rows: countRows(entry) };
  } catch (error) {
    return { ...stored, entry: null, fault: error as Error, rows: 1 };
  }
}
