import type { Config } from '../config/environment.ts';
import type { Database } from '../database/database.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import type { Heartbeat } from '../processes/heartbeat.ts';
import type { RedisClient } from '../redis/client.ts';
import type { LaneOptions } from '../redis/lane.ts';
import { systemClock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { BacklogBound } from './backlog-bound.ts';
import { Gate } from './gate.ts';

/** The environment variables of whoever has something decided in Redis and tells others of it. */
export const DECIDING_VARIABLES = [
  'REDIS_APPENDFSYNC',
  'REDIS_REPLICAS',
  'REDIS_REPLICA_WAIT_MS',
  'DECISION_DEADLINE_MS',
  'JOURNAL_BYTES',
  'JOURNAL_ENTRIES',
] as const;

export type DecidingConfig = Config<(typeof DECIDING_VARIABLES)[number]>;

export interface GateParts {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly logger: Logger;
  /** Says what this process has acknowledged: at once when the gate closes. Absent in one that says it when it ends. */
  readonly heartbeat?: Pick<Heartbeat, 'id' | 'beat'>;
}

/** The gate of a process that acknowledges what it has decided. It is not started yet. */
export function createGate(config: DecidingConfig, { heartbeat, ...parts }: GateParts): Gate {
  const limits = { bytes: config.JOURNAL_BYTES, entries: config.JOURNAL_ENTRIES };
  return new Gate({
    ...parts,
    needs: { appendfsync: config.REDIS_APPENDFSYNC, replicas: config.REDIS_REPLICAS },
    bound: new BacklogBound({ limits, clock: systemClock }),
    ...(heartbeat && { processId: heartbeat.id, onClosed: () => void heartbeat.beat() }),
  });
}

/** For lanes whose calls pass `gate`: nobody is told of an entry before the gate has noted it (P3). */
export function lanesBehind(gate: Gate, redis: RedisClient, config: DecidingConfig): LaneOptions {
  return {
    redis,
    clock: systemClock,
    deadlineMs: config.DECISION_DEADLINE_MS,
    epoch: () => gate.epoch(),
    acknowledge: (position) => gate.acknowledge(position),
    replication: { replicas: config.REDIS_REPLICAS, waitMs: config.REDIS_REPLICA_WAIT_MS },
  };
}

const READ_WITHIN_MS = 3_000;

/**
 * What cannot be read because Redis is away or does not answer is no fault of this process; and what was read from one that
 * is not to be believed is told to nobody: it may have been emptied, or be half rebuilt. Rejects with `NotAccepting` then.
 */
export async function readBehind<T>(gate: Gate, reading: Promise<T>): Promise<T> {
  const read = await within(READ_WITHIN_MS, reading).catch((error: Error) => {
    if (error instanceof InternalFault || error instanceof NotAccepting) throw error;
    throw new NotAccepting([...gate.reasons, error.message].join('; '));
  });
  if (gate.doubts.length > 0) throw new NotAccepting(gate.doubts.join('; '));
  return read;
}
