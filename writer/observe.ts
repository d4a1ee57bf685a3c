import type { Database } from '../engine/database/database.ts';
import { countWaitingDeadLetters } from '../engine/database/statements/count-waiting-dead-letters.ts';
import { readOutboxBacklog } from '../engine/database/statements/read-outbox-backlog.ts';
import { formatPosition } from '../engine/domain/position.ts';
import type { Heartbeat } from '../engine/processes/heartbeat.ts';
import { readReconciliation } from '../engine/processes/reconciliation-note.ts';
import type { ProcessReport } from '../engine/processes/report.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { within } from '../engine/runtime/deadline.ts';
import type { Samples } from '../engine/runtime/metrics-page.ts';
import { VERSION } from '../engine/runtime/version.ts';
import type { DrainLoop } from './drain-loop.ts';
import { DRAIN_MODES, type DrainStatus } from './drain-status.ts';
import type { RecoveryWatch } from './recovery/recovery-watch.ts';

/** What is looked at of a writer. */
export interface Observed {
  readonly drainLoop: DrainLoop;
  readonly recoveryWatch: RecoveryWatch;
  readonly redis: RedisClient;
  /** One whose connections nothing else waits for. */
  readonly database: Database;
  readonly heartbeat: () => Heartbeat;
}

/** A page without these is of more use than no page. */
const READ_WITHIN_MS = 1_000;

/** The figures of a writer for `/metrics`; what a server that is away would have to say is left out. */
export async function sampleWriter(observed: Observed): Promise<Samples> {
  const { drainLoop, redis, database } = observed;
  const [deadLetters, outbox, note] = await Promise.all([
    within(READ_WITHIN_MS, countWaitingDeadLetters(database)).catch(() => null),
    within(READ_WITHIN_MS, readOutboxBacklog(database)).catch(() => null),
    within(READ_WITHIN_MS, readReconciliation(redis)).catch(() => null),
  ]);
  const breakers = Object.entries(observed.heartbeat().breakers);
  return {
    bootakhae_build_info: new Map([[VERSION, 1]]),
    bootakhae_connection_open: new Map(
      breakers.map(([server, state]) => [server, state === 'closed' ? 1 : 0]),
    ),
    ...sampleDrain(drainLoop.status),
    bootakhae_recovery_undecided: undecided(observed.recoveryWatch).length > 0 ? 1 : 0,
    bootakhae_dead_letters_waiting: deadLetters,
    bootakhae_outbox_entries: outbox?.entries,
    bootakhae_outbox_seconds: outbox?.seconds,
    bootakhae_reconciliation_drifts: note?.drifts,
    bootakhae_reconciliation_timestamp_seconds: note && note.at / 1_000,
  };
}

function sampleDrain(status: DrainStatus): Samples {
  return {
    bootakhae_writer_mode: new Map(DRAIN_MODES.map((mode) => [mode, mode === status.mode ? 1 : 0])),
    bootakhae_writer_lease: status.hasLease ? 1 : 0,
    bootakhae_writer_lag_entries: status.lag?.entries,
    bootakhae_writer_lag_seconds: status.lag?.seconds,
    bootakhae_writer_checkpoint_epoch: status.checkpoint?.epoch,
    bootakhae_writer_checkpoint_sequence: status.checkpoint?.sequence,
    bootakhae_writer_batch_entries: status.batchEntries,
    bootakhae_writer_commit_seconds: status.commitTimes,
    bootakhae_writer_entries_total: status.entriesApplied,
    bootakhae_writer_rows_total: status.rowsApplied,
    bootakhae_writer_retries_total: status.retriesByReason,
    bootakhae_writer_set_aside_total: status.setAside,
  };
}

/** What a writer says of itself with each heartbeat. */
export function reportWriter({
  drainLoop,
  recoveryWatch,
}: Pick<Observed, 'drainLoop' | 'recoveryWatch'>): Partial<ProcessReport> {
  const { mode, hasLease, checkpoint, lag, setAside, lastError } = drainLoop.status;
  return {
    undecided: undecided(recoveryWatch),
    drain: {
      mode,
      hasLease,
      checkpoint: checkpoint && formatPosition(checkpoint),
      lagEntries: lag?.entries ?? null,
      lagSeconds: lag?.seconds ?? null,
      deadLetters: setAside,
      lastError,
    },
  };
}

function undecided({ state }: RecoveryWatch): readonly string[] {
  return state.kind === 'undecided' ? state.reasons : [];
}

/** What a writer lacks to do its work, or to stand by for it; empty = nothing. */
export function reasonsOf({ drainLoop, redis }: Pick<Observed, 'drainLoop' | 'redis'>): string[] {
  const { mode, lastError } = drainLoop.status;
  const reasons = redis.status === 'ready' ? [] : ['Redis is away'];
  if (lastError !== null) reasons.push(`nothing is applied: ${lastError}`);
  if (mode === 'STOPPED') reasons.push('it is stopped');
  return reasons;
}
