import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startMariaDB } from '../../cli/stack/mariadb.ts';
import { startRedis } from '../../cli/stack/redis.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import { killAllWatched } from '../../cli/stack/watchdog.ts';
import { connectDatabase, type Database } from '../../engine/database/database.ts';
import { migrate } from '../../engine/database/migrate.ts';
import { createRedisClient, type RedisClient, whenReady } from '../../engine/redis/client.ts';

const CONNECTIONS = 4;
const READY_MS = 10_000;
const INTERRUPTED = 130;

/** What all runs share: one private MariaDB, a folder, the secret that tokens are signed with. */
export interface Ground {
  readonly directory: string;
  readonly authSecret: string;
  readonly mariadb: RunningServer;
  readonly database: Database;
  close(): Promise<void>;
}

/** A Redis of one run's own: no keys and no log of a run before. */
export interface FreshRedis {
  readonly server: RunningServer;
  readonly client: RedisClient;
  close(): Promise<void>;
}

/**
 * Starts what all runs share.
 *
 * @param home where a folder is made for the data; it must be on the disk that is to be measured
 */
export async function openGround(home: string): Promise<Ground> {
  const directory = mkdtempSync(join(home, 'bootakhae-bench-'));
  forgetWhenInterrupted(directory);
  const mariadb = await startMariaDB({ dataDirectory: join(directory, 'mariadb') });
  const database = connectDatabase(mariadb.url, CONNECTIONS);
  await migrate(database);
  return {
    directory,
    authSecret: randomBytes(32).toString('hex'),
    mariadb,
    database,
    async close() {
      await database.close();
      await mariadb.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Nothing that was measured half is worth keeping: everything ends at once. */
function forgetWhenInterrupted(directory: string): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      killAllWatched();
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
      process.exit(INTERRUPTED);
    });
  }
}

/** How the Redis of a run keeps its log; `no` keeps none, which is enough for locks. */
export type RedisLog = 'always' | 'everysec' | 'none';

/** Starts a Redis for one run. Its log is not rewritten meanwhile: that would hit some runs and not others. */
export async function openRedis(directory: string, log: RedisLog): Promise<FreshRedis> {
  const dataDirectory = mkdtempSync(join(directory, 'redis-'));
  const policy = log === 'none' ? ['--appendonly', 'no'] : ['--appendfsync', log];
  const server = await startRedis({ dataDirectory, args: [...policy, '--auto-aof-rewrite-percentage', '0'] });
  const client = createRedisClient(server.url, () => undefined);
  await whenReady(client, READY_MS);
  return {
    server,
    client,
    async close() {
      client.disconnect();
      await server.stop();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}
