import type { Database } from '../database/database.ts';
import { readCheckpoint } from '../database/statements/read-checkpoint.ts';
import { readTestimony, type Testimony, type Witness } from '../database/statements/read-witnesses.ts';
import {
  type Checkpoint,
  comparePositions,
  follows,
  formatPosition,
  ORIGIN,
  type Position,
} from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { type JournalState, readJournalState } from '../redis/journal-state.ts';

/** Where Redis, MariaDB and whoever acknowledged an order stand towards each other. */
export interface Standing {
  readonly journal: JournalState;
  /** Read before the journal: whatever stands here must be in Redis's journal, trimmed or not. */
  readonly checkpointBefore: Checkpoint;
  /** Read after the journal: whatever was trimmed from it must be here. */
  readonly checkpointAfter: Checkpoint;
  readonly testimony: Testimony;
}

/**
 * Reads where all stand. Others order and drain meanwhile, so the order of reading matters: what was acknowledged, and a
 * checkpoint, before the journal; a checkpoint after it. Whatever moves in between can then only make them look closer.
 */
export async function readStanding(redis: RedisClient, database: Database): Promise<Standing> {
  const testimony = await readTestimony(database);
  const checkpointBefore = await readCheckpoint(database);
  const journal = await readJournalState(redis);
  return { journal, checkpointBefore, checkpointAfter: await readCheckpoint(database), testimony };
}

/**
 * What is wrong, with a sentence for people.
 *
 * - `recovering`: a recovery is under way, or was broken off.
 * - `superseded`: Redis is from before a recovery.
 * - `behind`: Redis has lost what MariaDB has.
 * - `missing`: a key is gone though what belongs to it is there.
 * - `gap`: entries are neither in the journal nor in MariaDB.
 * - `forgotten`: an entry that somebody was told about is neither in the journal nor in MariaDB.
 * - `epoch`: the epoch in force is older than the journal.
 */
export interface Finding {
  readonly kind: 'recovering' | 'superseded' | 'behind' | 'missing' | 'gap' | 'forgotten' | 'epoch';
  readonly reason: string;
}

/** Everything that is wrong; empty = orders may be taken, as far as this goes. */
export function findFaults(standing: Standing): Finding[] {
  const { journal, checkpointBefore: before } = standing;
  const { recovering, epoch, last } = journal;
  const faults: (Finding | null)[] = [
    recovering === null
      ? null
      : fault(
          'recovering',
          `Redis is being rebuilt, as epoch ${recovering}; if nobody does it any more the writer begins anew`,
        ),
    epoch > 0 && epoch < before.fence
      ? fault(
          'superseded',
          `Redis is of epoch ${epoch}, from before the recovery that began epoch ${before.fence}`,
        )
      : null,
    comparePositions(last, before) < 0
      ? fault(
          'behind',
          `Redis has lost data: its journal ends at ${formatPosition(last)}, MariaDB is at ${formatPosition(before)}`,
        )
      : null,
    missingOf(standing),
    gapOf(standing),
    forgottenBy(standing),
  ];
  const found = faults.filter((each) => each !== null);
  return found.length > 0 ? found : epochFault(standing);
}

/** Whether anything was ever decided here. */
export function isWritten({ journal, checkpointBefore }: Standing): boolean {
  return (
    comparePositions(journal.last, ORIGIN) > 0 ||
    comparePositions(checkpointBefore, ORIGIN) > 0 ||
    checkpointBefore.fence > 0
  );
}

/** The last entry that is in MariaDB or can still be applied from the journal. */
export function reachableEnd({ journal: { first, last }, checkpointAfter: after }: Standing): Position {
  const isUnbroken = first !== null && (comparePositions(first, after) <= 0 || follows(after, first));
  return isUnbroken && comparePositions(last, after) > 0 ? last : after;
}

/** The last entry that anybody was told about. */
export function lastAcknowledged({ witnesses }: Testimony): Position {
  const places = witnesses.map(({ acknowledged }) => acknowledged);
  return places.reduce((latest, each) => (comparePositions(each, latest) > 0 ? each : latest), ORIGIN);
}

/**
 * Processes that may have acknowledged more than they have said: since `since` (MariaDB's clock) they have not spoken with their gate closed.
 */
export function silentSince({ witnesses }: Testimony, since: number): Witness[] {
  return witnesses.filter(({ isStopped, isOpen, seenAt }) => !isStopped && (isOpen || seenAt < since));
}

function gapOf({ journal: { first, last }, checkpointAfter: after }: Standing): Finding | null {
  const at = formatPosition(after);
  if (first === null)
    return comparePositions(after, last) < 0
      ? fault(
          'gap',
          `the journal has a gap: MariaDB is at ${at}, the journal ends at ${formatPosition(last)} and is empty`,
        )
      : null;
  if (comparePositions(first, after) <= 0 || follows(after, first)) return null;
  return fault(
    'gap',
    `the journal has a gap: MariaDB is at ${at}, the next entry is ${formatPosition(first)}`,
  );
}

function missingOf({ journal: { missing } }: Standing): Finding | null {
  if (missing.length === 0) return null;
  return fault('missing', `Redis has lost data: its ${missing.join(' and ')} are gone`);
}

function forgottenBy(standing: Standing): Finding | null {
  const acknowledged = lastAcknowledged(standing.testimony);
  const { last } = standing.journal;
  const { checkpointBefore: before } = standing;
  if (comparePositions(acknowledged, last) <= 0 || comparePositions(acknowledged, before) <= 0) return null;
  return fault(
    'forgotten',
    `acknowledged orders are lost: entry ${formatPosition(acknowledged)} was acknowledged, Redis's journal ends at ${formatPosition(last)}, MariaDB is at ${formatPosition(before)}`,
  );
}

/** An epoch that is missing says no more than what else is. */
function epochFault(standing: Standing): Finding[] {
  const { epoch, last } = standing.journal;
  if (!isWritten(standing) || epoch >= Math.max(last.epoch, 1)) return [];
  return [fault('epoch', `Redis's epoch is ${epoch}, its journal is at ${formatPosition(last)}`)];
}

function fault(kind: Finding['kind'], reason: string): Finding {
  return { kind, reason };
}
