import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '../engine/database/database.ts';
import { upsertProcess } from '../engine/database/statements/upsert-process.ts';
import { comparePositions, ORIGIN, type Position } from '../engine/domain/position.ts';
import { createGate, DECIDING_VARIABLES, lanesBehind } from '../engine/journal/behind-gate.ts';
import type { Gate } from '../engine/journal/gate.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import type { LaneOptions } from '../engine/redis/lane.ts';
import { createLogger } from '../engine/runtime/logger.ts';
import { VERSION } from '../engine/runtime/version.ts';
import { withDatabase, withRedis } from './connections.ts';
import { readSurroundings } from './surroundings.ts';

const GATE_WITHIN_MS = 10_000;
/** How long the truth of a call is looked for, at least: a person can wait. */
const CALL_DEADLINE_MS = 10_000;

/** Redis and MariaDB, with the gate open that an api would have in front of them. */
export interface OpenShop {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly gate: Gate;
  /** With which calls go as an api's do: behind the gate, acknowledged, and to as many replicas. */
  readonly lane: LaneOptions;
}

/**
 * Runs `work` once the gate is open, as in an api, and closes all of it afterwards. `data`: the local stack that stands in for
 * what the environment does not set. Rejects with `NotAccepting` when the gate stays closed for 10 s.
 */
export async function withOpenGate<T>(data: string, work: (shop: OpenShop) => Promise<T>): Promise<T> {
  const stated = readSurroundings(data, DECIDING_VARIABLES);
  const config = { ...stated, DECISION_DEADLINE_MS: Math.max(stated.DECISION_DEADLINE_MS, CALL_DEADLINE_MS) };
  return await withRedis(data, (redis) =>
    withDatabase(data, async (database) => {
      const gate = createGate(config, { redis, database, logger: createLogger('cli', 'silent') });
      const lane = lanesBehind(gate, redis, config);
      gate.start();
      try {
        await gate.whenOpen(GATE_WITHIN_MS);
        return await work({ redis, database, gate, lane });
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
