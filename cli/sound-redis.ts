import type { Database } from '../engine/database/database.ts';
import { NotAccepting } from '../engine/domain/fault.ts';
import { findFaults, readStanding } from '../engine/journal/standing.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { within } from '../engine/runtime/deadline.ts';
import { withDatabase, withRedis } from './connections.ts';

const COMPARE_WITHIN_MS = 3_000;

/**
 * Runs `work` with a Redis that can be believed: one that was emptied, or is being rebuilt, would say that there is nothing. With
 * MariaDB away Redis is read all the same, and a warning says that nobody knows. Rejects with `NotAccepting` where it has lost data.
 */
export async function withSoundRedis<T>(data: string, work: (redis: RedisClient) => Promise<T>): Promise<T> {
  return await withRedis(data, async (redis) => {
    await withDatabase(data, (database) => refuseIfUnsound(redis, database));
    return await work(redis);
  });
}

async function refuseIfUnsound(redis: RedisClient, database: Database): Promise<void> {
  const standing = await within(COMPARE_WITHIN_MS, readStanding(redis, database)).catch((error: Error) => {
    console.error(`warning: whether Redis has lost anything cannot be told: ${error.message}`);
    return null;
  });
  const faults = standing ? findFaults(standing) : [];
  if (faults.length > 0) throw new NotAccepting(faults.map(({ reason }) => reason).join('; '));
}
