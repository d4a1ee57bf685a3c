import type { Database, Transaction } from '../../engine/database/database.ts';
import { lockCheckpoint } from '../../engine/database/statements/lock-checkpoint.ts';
import { lockDeadLetter } from '../../engine/database/statements/lock-dead-letter.ts';
import { noteDeadLetter } from '../../engine/database/statements/note-dead-letter.ts';
import { settleDeadLetter } from '../../engine/database/statements/settle-dead-letter.ts';
import { comparePositions, formatPosition, type Position } from '../../engine/domain/position.ts';
import { DamagedEntry } from '../../engine/journal/damage.ts';
import type { StoredEntry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { trimJournal } from '../../engine/redis/commands/trim-journal.ts';
import { readJournalState } from '../../engine/redis/journal-state.ts';
import { decodeEntry } from '../../engine/redis/journal-stream.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { noteForOutside, writeChanges } from '../apply.ts';
import { foldEntries } from '../fold.ts';
import { refusalOf } from '../refusal.ts';
import { marksOf } from '../trimmer.ts';
import { lateChanges } from './late-changes.ts';
import { ReplayRefused } from './replay-refused.ts';

export interface DeadLetterSides {
  readonly redis: RedisClient;
  /** With sessions that refuse what does not fit (`WRITING_SESSION`). */
  readonly database: Database;
  readonly clock: Clock;
}

/**
 * Applies an entry that was set aside, late. Exactly once (P4): it is locked, and what it does and that it is done are one
 * transaction. Throws `ReplayRefused` where it cannot be; it is waiting then as before, with the reason noted.
 */
export async function replayDeadLetter(sides: DeadLetterSides, position: Position): Promise<void> {
  const { redis, database } = sides;
  try {
    await database.transaction(async (transaction) => {
      const letter = await takeLetter(sides, transaction, position);
      const entry = decodeEntry(letter);
      await writeChanges(transaction, await lateChanges(foldEntries([entry]), { redis, transaction }));
      await noteForOutside(transaction, [entry]);
      await settleDeadLetter(transaction, position, { status: 'replayed', note: null });
    });
  } catch (error) {
    throw await noteRefusal(database, position, error);
  }
}

/**
 * Gives an entry up: MariaDB will never have it. The row stays, with the reason. What the entry did to Redis stands, and is drift from now
 * on; the marks of orders that it settled go, since MariaDB tells from now on what they are.
 */
export async function dropDeadLetter(
  sides: DeadLetterSides,
  position: Position,
  reason: string,
): Promise<void> {
  const { redis, database, clock } = sides;
  const { letter, committed } = await database.transaction(async (transaction) => {
    const taken = await takeLetter(sides, transaction, position);
    await settleDeadLetter(transaction, position, { status: 'dropped', note: reason });
    return { letter: taken, committed: taken.checkpoint };
  });
  await trimJournal(redis, { committed, settled: marksIn(letter), nowMs: clock.nowMs() });
}

/**
 * Locks the checkpoint, so that no writer commits meanwhile and what Redis says now is not behind what MariaDB has; then the
 * entry, which must be waiting. Writers lock in the same order.
 */
async function takeLetter(
  { redis }: DeadLetterSides,
  transaction: Transaction,
  position: Position,
): Promise<StoredEntry & { readonly checkpoint: Position }> {
  const checkpoint = await lockCheckpoint(transaction);
  const letter = await lockDeadLetter(transaction, position);
  if (!letter) throw new ReplayRefused('there is no such dead letter');
  if (letter.status !== 'waiting') throw new ReplayRefused(`it is ${letter.status} already`);
  const { last, recovering } = await readJournalState(redis);
  if (recovering !== null) throw new ReplayRefused('Redis is being rebuilt: try again when that is over');
  if (comparePositions(last, checkpoint) >= 0) return { ...letter, checkpoint };
  throw new ReplayRefused(
    `Redis has lost data, its journal ends at ${formatPosition(last)}, MariaDB is at ${formatPosition(checkpoint)}: run bootakhae recover first`,
  );
}

/** Of an entry that cannot be read nobody knows any. */
function marksIn(letter: StoredEntry) {
  try {
    return marksOf(decodeEntry(letter));
  } catch (error) {
    if (error instanceof DamagedEntry) return [];
    throw error;
  }
}

/** What passes (a lock that is held, a connection that is lost) says nothing about the entry, and is not noted. */
async function noteRefusal(database: Database, position: Position, error: unknown): Promise<unknown> {
  const refusal = refusalOf(error, true);
  const reason = refusal?.reason ?? (error instanceof ReplayRefused ? error.message : null);
  if (reason === null) return error;
  await noteDeadLetter(database, position, `replay refused: ${reason}`);
  return new ReplayRefused(reason);
}
