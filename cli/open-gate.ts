import type { Database } from '../engine/database/database.ts';
import { Gate } from '../engine/journal/gate.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { createLogger } from '../engine/runtime/logger.ts';
import { withDatabase, withRedis } from './connections.ts';
import { readSurroundings } from './surroundings.ts';

const GATE_WITHIN_MS = 10_000;
/** How long the truth of a call is looked for. */
export const CALL_DEADLINE_MS = 10_000;

/** Redis and MariaDB, with the gate open that an api would have in front of them. */
export interface OpenShop {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly gate: Gate;
}

/**
 * Runs `work` once the gate is open, as in an api, and closes all of it afterwards. `data`: the local stack that stands in for
 * what the environment does not set. Rejects with `NotAccepting` when the gate stays closed for 10 s.
 */
export async function withOpenGate<T>(data: string, work: (shop: OpenShop) => Promise<T>): Promise<T> {
  const { REDIS_APPENDFSYNC: appendfsync } = readSurroundings(data, ['REDIS_APPENDFSYNC']);
  return await withRedis(data, (redis) =>
    withDatabase(data, async (database) => {
      const needs = { appendfsync };
      const gate = new Gate({ redis, database, logger: createLogger('cli', 'silent'), needs });
      gate.start();
      try {
        await gate.whenOpen(GATE_WITHIN_MS);
        return await work({ redis, database, gate });
      } finally {
        gate.stop();
      }
    }),
  );
}
