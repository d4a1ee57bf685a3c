import { Redis, type RedisOptions, ReplyError } from 'ioredis';

export type RedisClient = Redis;

const OPTIONS: RedisOptions = {
  // A command that cannot be sent now fails now: waiting in a hidden queue would be an unbounded one (P7).
  enableOfflineQueue: false,
  // After a broken connection the lane decides what is sent again, never the driver.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
  connectTimeout: 2_000,
  retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
};

/**
 * A client that keeps trying to reach Redis. Its errors go to `onError`; a client without a listener would end the
 * process.
 */
export function createRedisClient(url: string, onError: (error: Error) => void): RedisClient {
  const client = new Redis(url, OPTIONS);
  client.on('error', onError);
  client.connect().catch(() => undefined); // reported through 'error', and tried again by retryStrategy
  return client;
}

/** A second connection with the same settings, for commands that block. */
export function duplicateClient(client: RedisClient, onError: (error: Error) => void): RedisClient {
  const second = client.duplicate(OPTIONS);
  second.on('error', onError);
  second.connect().catch(() => undefined);
  return second;
}

/** Waits until the client can be used. Rejects after `withinMs` with a line that says what was not reached. */
export async function whenReady(client: RedisClient, withinMs: number): Promise<void> {
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const { host, port } = client.options;
    const timer = setTimeout(() => {
      client.off('ready', ready);
      reject(
        new Error(
          `Redis at ${host}:${port} did not answer within ${withinMs} ms: is it running, is REDIS_URL right?`,
        ),
      );
    }, withinMs);
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    client.once('ready', ready);
  });
}

/** Whether Redis itself answered with an error: the command reached it and had no effect. */
export function isRefusalOfRedis(error: unknown): error is Error {
  return error instanceof ReplyError;
}
