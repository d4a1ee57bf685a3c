import { withAdvisoryLock } from '../../engine/database/advisory-lock.ts';
import type { Database } from '../../engine/database/database.ts';
import { withSnapshot } from '../../engine/database/snapshot.ts';
import { beginRecoveryRow } from '../../engine/database/statements/begin-recovery.ts';
import { completeRecoveryRow } from '../../engine/database/statements/complete-recovery.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { readWaitingDeadLetters } from '../../engine/database/statements/read-waiting-dead-letters.ts';
import { comparePositions, formatPosition, type Position } from '../../engine/domain/position.ts';
import {
  type Finding,
  findFaults,
  lastAcknowledged,
  reachableEnd,
  readStanding,
  type Standing,
} from '../../engine/journal/standing.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { beginRecovery } from '../../engine/redis/commands/begin-recovery.ts';
import { finishRecovery } from '../../engine/redis/commands/finish-recovery.ts';
import { readJournalState } from '../../engine/redis/journal-state.ts';
import { findServerFaults, type ServerNeeds } from '../../engine/redis/server-check.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { foldReadable } from './dead-letters-fold.ts';
import { drainTo } from './drain-to.ts';
import { type Rebuilt, rebuild } from './rebuild.ts';

export interface RecoverOptions {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly clock: Clock;
  readonly needs: ServerNeeds;
  /** Go on although it is known that acknowledged orders are lost by it. */
  readonly acceptLoss: boolean;
  /** Hears what is being done, for people. */
  readonly onProgress?: (line: string) => void;
}

/** What a recovery came to. */
export interface Recovery extends Rebuilt {
  /** The epoch that it began. */
  readonly epoch: number;
  readonly cause: string;
  /** How far the journal of older epochs is in MariaDB: what came after it is gone. */
  readonly committed: string;
  /** The last entry that anybody is known to have been told about. */
  readonly acknowledged: string;
  /** Whether anybody was told of an entry after `committed`. */
  readonly isLossKnown: boolean;
  readonly seconds: number;
}

/** It would lose what was acknowledged, or cannot be done now. Nothing was changed. `message` says what to decide. */
export class RecoveryRefused extends Error {
  override readonly name: string = 'RecoveryRefused';
}

/** Somebody else has the lock, and does it. */
export class AnotherRecovery extends RecoveryRefused {
  override readonly name = 'AnotherRecovery';
}

/** Faults of which it is known that somebody was told of what is lost. */
const LOSSES: readonly Finding['kind'][] = ['forgotten', 'gap'];

/**
 * Rebuilds Redis from MariaDB and the journal, and begins a new epoch in it (P6):
 *
 * 1. take the lock: one recovery at a time;
 * 2. take a new epoch and raise the checkpoint's fence to it: a writer that read the checkpoint before commits nothing;
 * 3. put the epoch in force in Redis: every call of an older one is refused there, and gates stay closed;
 * 4. apply what the journal has and MariaDB has not;
 * 5. write everything anew from a snapshot of MariaDB and the waiting dead letters, each page only while this is the
 *    recovery under way;
 * 6. begin the journal of the new epoch with an entry that says so: gates open.
 *
 * It may be broken off anywhere: up to the last step Redis says that it is being rebuilt, or that it is older than the
 * fence, no gate opens, and the next recovery begins anew with a newer epoch.
 *
 * Rejects with `RecoveryRefused`, or with what a server says.
 */
export async function recover(options: RecoverOptions): Promise<Recovery> {
  const recovery = await withAdvisoryLock(options.database, 'recovery', () => recoverLocked(options));
  if (!recovery) throw new AnotherRecovery('another recovery is under way: wait for it');
  return recovery;
}

async function recoverLocked(options: RecoverOptions): Promise<Recovery> {
  const { redis, database, clock, needs, onProgress = () => undefined } = options;
  const startMs = clock.monotonicMs();
  const serverFaults = await findServerFaults(redis, needs);
  if (serverFaults.length > 0) throw new RecoveryRefused(serverFaults.join('; '));
  const standing = await readStanding(redis, database);
  refuseLoss(standing, options.acceptLoss);
  const cause = causeOf(standing);
  const acknowledged = lastAcknowledged(standing.testimony);
  const epoch = await beginRecoveryRow(database, {
    cause,
    redisEpoch: standing.journal.epoch,
    redisEnd: standing.journal.last,
    checkpoint: standing.checkpointBefore,
    acknowledged,
  });
  await beginRecovery(redis, epoch);
  onProgress(`epoch ${epoch} begins: ${cause}`);
  const committed = await drainJournal(options);
  const rebuilt = await rebuildAll(options, epoch);
  await finishRecovery(redis, { epoch, at: clock.nowMs(), facts: { cause, committed } });
  await completeRecoveryRow(database, epoch);
  return {
    ...{ epoch, cause, committed: formatPosition(committed), acknowledged: formatPosition(acknowledged) },
    isLossKnown: comparePositions(acknowledged, committed) > 0,
    ...rebuilt,
    seconds: Math.round(clock.monotonicMs() - startMs) / 1_000,
  };
}

function refuseLoss(standing: Standing, acceptLoss: boolean): void {
  const losses = findFaults(standing).filter(({ kind }) => LOSSES.includes(kind));
  if (acceptLoss || losses.length === 0) return;
  const reasons = losses.map(({ reason }) => reason).join('; ');
  throw new RecoveryRefused(
    `${reasons}. What is after ${formatPosition(reachableEnd(standing))} cannot be rebuilt: bring back a Redis that has it, ` +
      'or give it up with bootakhae recover --accept-loss',
  );
}

function causeOf(standing: Standing): string {
  return (
    findFaults(standing)
      .map(({ reason }) => reason)
      .join('; ') || 'asked for by an operator'
  );
}

/** Nothing is appended any more: old epochs are fenced off, and of the new one there is no caller yet. */
async function drainJournal({ redis, database, onProgress }: RecoverOptions): Promise<Position> {
  const { last } = await readJournalState(redis);
  const applied = await drainTo({ redis, database }, last);
  onProgress?.(`${applied} entries of the journal applied to MariaDB`);
  return await readCheckpoint(database);
}

async function rebuildAll({ redis, database, clock, onProgress }: RecoverOptions, epoch: number) {
  return await withSnapshot(database, async ({ db }) => {
    const { changes, entries, unreadable } = foldReadable(await readWaitingDeadLetters(db));
    if (unreadable.length > 0)
      onProgress?.(`dead letters that cannot be read are left out: ${unreadable.join(', ')}`);
    return await rebuild({
      redis,
      db,
      epoch,
      nowMs: clock.nowMs(),
      setAside: changes,
      setAsideEntries: entries,
    });
  });
}
