import Redlock, { type Lock } from 'redlock';
import { connectDatabase } from '../../engine/database/database.ts';
import { createRedisClient, whenReady } from '../../engine/redis/client.ts';
import { OrderTransaction, sortedLines } from './order-transaction.ts';
import type { Rival, RivalConfig } from './rival.ts';

const READY_MS = 5_000;
const LOCK_MS = 30_000;
/** Short, so that a free lock is found soon, and for ever: a lock that is given up would be an order lost. */
const RETRIES = { retryCount: -1, retryDelay: 20, retryJitter: 20 };

/** What the legacy service started from: a distributed lock on every item in turn, then the transaction. */
export async function createLockPerItem(config: RivalConfig): Promise<Rival> {
  const redis = createRedisClient(config.REDIS_URL, () => undefined);
  await whenReady(redis, READY_MS);
  const database = connectDatabase(config.DATABASE_URL, config.DATABASE_CONNECTIONS);
  const redlock = new Redlock([redis], RETRIES);
  const transaction = new OrderTransaction({ database, lock: false });
  await transaction.start();
  return {
    async placeOrder({ user, lines }) {
      const sorted = sortedLines(lines!);
      const locks: Lock[] = [];
      try {
        for (const { sku } of sorted) locks.push(await redlock.acquire([`lock:${sku}`], LOCK_MS));
        return await transaction.place(user, sorted);
      } finally {
        await Promise.all(locks.map((lock) => lock.release()));
      }
    },
    async stop() {
      redis.disconnect();
      await database.close();
    },
  };
}
