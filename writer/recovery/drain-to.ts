import type { Database } from '../../engine/database/database.ts';
import { advanceCheckpoint } from '../../engine/database/statements/advance-checkpoint.ts';
import { insertDeadLetters } from '../../engine/database/statements/insert-dead-letters.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { type Checkpoint, comparePositions, follows, type Position } from '../../engine/domain/position.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { applyEntries, CheckpointMoved, moveCheckpoint } from '../apply.ts';
import { applyOrIsolate } from '../isolate.ts';
import { type ReadEntry, readStored } from '../read-ahead.ts';
import type { Refusal } from '../refusal.ts';

const ENTRIES_OF_TRANSACTION = 200;

/**
 * Applies the journal up to `last`, beside a writer that may do the same: the conditional checkpoint lets one of them. What
 * MariaDB refuses is set aside, as the writer does; entries that are neither in the journal nor in MariaDB are passed over, as
 * whoever recovers has accepted. Resolves to how many entries were applied here.
 */
export async function drainTo(
  { redis, database }: { redis: RedisClient; database: Database },
  last: Position,
): Promise<number> {
  for (let applied = 0; ; ) {
    const checkpoint = await readCheckpoint(database);
    if (comparePositions(checkpoint, last) >= 0) return applied;
    const stored = await readStoredEntriesAfter(redis, checkpoint, { count: ENTRIES_OF_TRANSACTION, last });
    const [first] = stored;
    if (!first) return applied; // the rest of the journal is lost
    if (follows(checkpoint, first.position)) {
      const batch = untilGap(checkpoint, stored.map(readStored));
      applied += await unlessMoved(new Drain(database, checkpoint).apply(batch), batch.length);
    } else await passOver(database, checkpoint, first.position);
  }
}

/** One batch: each part of it from where the one before has left the checkpoint. */
class Drain {
  readonly #database: Database;
  #checkpoint: Checkpoint;

  constructor(database: Database, checkpoint: Checkpoint) {
    this.#database = database;
    this.#checkpoint = checkpoint;
  }

  async apply(entries: readonly ReadEntry[]): Promise<void> {
    await applyOrIsolate(entries, {
      apply: (part) => this.#commit(part),
      setAside: (entry, refusal) => this.#setAside(entry, refusal),
      bisecting: () => undefined,
    });
  }

  async #commit(part: readonly ReadEntry[]): Promise<void> {
    const entries = part.map(({ entry, fault }) => {
      if (!entry) throw fault;
      return entry;
    });
    this.#checkpoint = await applyEntries(this.#database, this.#checkpoint, entries);
  }

  async #setAside({ position, content, entry }: ReadEntry, refusal: Refusal): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await moveCheckpoint(transaction, this.#checkpoint, position);
      await insertDeadLetters(transaction, [{ position, content, kind: entry?.kind ?? null, ...refusal }]);
    });
    this.#checkpoint = { ...position, fence: this.#checkpoint.fence };
  }
}

function untilGap(from: Position, entries: readonly ReadEntry[]): ReadEntry[] {
  let last = from;
  const end = entries.findIndex(({ position }) => {
    const isNext = follows(last, position);
    last = position;
    return !isNext;
  });
  return end === -1 ? [...entries] : entries.slice(0, end);
}

async function unlessMoved(applying: Promise<unknown>, count: number): Promise<number> {
  try {
    await applying;
    return count;
  } catch (error) {
    if (error instanceof CheckpointMoved) return 0;
    throw error;
  }
}

async function passOver(database: Database, checkpoint: Checkpoint, next: Position): Promise<void> {
  const before = { epoch: next.epoch, sequence: next.sequence - 1 };
  await database.transaction((transaction) => advanceCheckpoint(transaction, checkpoint, before));
}
