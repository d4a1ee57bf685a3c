import type { Database } from '../../engine/database/database.ts';
import { advanceCheckpoint } from '../../engine/database/statements/advance-checkpoint.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { type Checkpoint, comparePositions, follows, type Position } from '../../engine/domain/position.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { applyEntries, CheckpointMoved } from '../apply.ts';

const ENTRIES_OF_TRANSACTION = 200;

/**
 * Applies the journal up to `last`, beside a writer that may do the same: the conditional checkpoint lets one of them.
 * Entries that are neither in the journal nor in MariaDB are passed over, as whoever recovers has accepted. Resolves to
 * how many entries were applied here.
 */
export async function drainTo(
  { redis, database }: { redis: RedisClient; database: Database },
  last: Position,
): Promise<number> {
  for (let applied = 0; ; ) {
    const checkpoint = await readCheckpoint(database);
    if (comparePositions(checkpoint, last) >= 0) return applied;
    const entries = await readEntriesAfter(redis, checkpoint, { count: ENTRIES_OF_TRANSACTION, last });
    const next = entries[0]?.position;
    if (!next) return applied; // the rest of the journal is lost
    if (!follows(checkpoint, next)) await passOver(database, checkpoint, next);
    else applied += await unlessMoved(applyEntries(database, checkpoint, entries), entries.length);
  }
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
