import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../engine/database/database.ts';
import { upsertProcess } from '../engine/database/statements/upsert-process.ts';
import { comparePositions, ORIGIN, type Position } from '../engine/domain/position.ts';
import { BacklogBound } from '../engine/journal/backlog-bound.ts';
import { Gate } from '../engine/journal/gate.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import type { LaneOptions } from '../engine/redis/lane.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger } from '../engine/runtime/logger.ts';
import { VERSION } from '../engine/runtime/version.ts';
import { withDatabase, withRedis } from './connections.ts';
import { readSurroundings } from './surroundings.ts';

const GATE_WITHIN_MS = 10_000;
/** How long the truth of a call is looked for. */
const CALL_DEADLINE_MS = 10_000;

/** Redis and MariaDB, with the gate open that an api would have in front of them. */
export interface OpenShop {
  readonly redis: RedisClient;
  readonly database: Database;
  /** With which calls go as an api's do: behind the gate, acknowledged, and to as many replicas. */
  readonly lane: LaneOptions;
}

/**
 * Runs `work` once the gate is open, as in an api, and closes all of it afterwards. `data`: the local stack that stands in for
 * what the environment does not set. Rejects with `NotAccepting` when the gate stays closed for 10 s.
 */
export async function withOpenGate<T>(data: string, work: (shop: OpenShop) => Promise<T>): Promise<T> {
  const config = readSurroundings(data, [
    'REDIS_APPENDFSYNC',
    'REDIS_REPLICAS',
    'REDIS_REPLICA_WAIT_MS',
    'JOURNAL_BYTES',
    'JOURNAL_ENTRIES',
  ]);
  return await withRedis(data, (redis) =>
    withDatabase(data, async (database) => {
      const needs = { appendfsync: config.REDIS_APPENDFSYNC, replicas: config.REDIS_REPLICAS };
      const limits = { bytes: config.JOURNAL_BYTES, entries: config.JOURNAL_ENTRIES };
      const bound = new BacklogBound({ limits, clock: systemClock });
      const gate = new Gate({ redis, database, logger: createLogger('cli', 'silent'), needs, bound });
      const lane: LaneOptions = {
        redis,
        clock: systemClock,
        deadlineMs: CALL_DEADLINE_MS,
        epoch: () => gate.epoch(),
        acknowledge: (position) => gate.acknowledge(position),
        replication: { replicas: config.REDIS_REPLICAS, waitMs: config.REDIS_REPLICA_WAIT_MS },
      };
      gate.start();
      try {
        await gate.whenOpen(GATE_WITHIN_MS);
        return await work({ redis, database, lane });
      } finally {
        gate.stop();
        await bearWitness(database, gate.acknowledged);
      }
    }),
  );
}

/** What a person was told is done must not be forgotten either, though the command is over (P3). */
async function bearWitness(database: Database, acknowledged: Position): Promise<void> {
  if (comparePositions(acknowledged, ORIGIN) === 0) return;
  const who = { id: randomUUID(), kind: 'command', host: hostname(), pid: process.pid, version: VERSION };
  const row = { ...who, url: null, acknowledged, report: '{}', isStopped: true };
  await upsertProcess(database, row).catch(() => undefined);
}
