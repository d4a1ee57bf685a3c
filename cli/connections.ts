import { connectDatabase, type Database, type SessionSettings } from '../engine/database/database.ts';
import { createRedisClient, type RedisClient, whenReady } from '../engine/redis/client.ts';
import { readSurroundings } from './surroundings.ts';

const REDIS_WITHIN_MS = 5_000;
const DATABASE_CONNECTIONS = 2;

/** Runs `work` with connections to MariaDB, set to `session` if given, and closes them afterwards. */
export async function withDatabase<T>(
  data: string,
  work: (database: Database) => Promise<T>,
  session?: SessionSettings,
): Promise<T> {
  const { DATABASE_URL } = readSurroundings(data, ['DATABASE_URL']);
  const database = connectDatabase(DATABASE_URL, DATABASE_CONNECTIONS, session);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Runs `work` with a connection to Redis and closes it afterwards. Rejects when Redis is not reached in 5 s. */
export async function withRedis<T>(data: string, work: (redis: RedisClient) => Promise<T>): Promise<T> {
  const { REDIS_URL } = readSurroundings(data, ['REDIS_URL']);
  const redis = createRedisClient(REDIS_URL, () => undefined); // whenReady says what is wrong
  try {
    await whenReady(redis, REDIS_WITHIN_MS);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
