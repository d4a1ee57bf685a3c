import type { RedisClient } from '../../engine/redis/client.ts';

/** What Redis says about a run, from its start to its end. */
export interface RedisFigures {
  /** Script calls, and the time of one inside Redis, fsync not included. */
  readonly scriptCalls: number;
  readonly microsecondsOfCall: number;
  /** Size of the append-only file at the end; 0 without one. */
  readonly logBytes: number;
}

/** Reads Redis's own statistics. */
export async function readRedisFigures(redis: RedisClient): Promise<RedisFigures> {
  const calls = await redis.info('commandstats');
  const [, count = '0', each = '0'] =
    /^cmdstat_evalsha:calls=(\d+),.*?usec_per_call=([\d.]+)/m.exec(calls) ?? [];
  const log = /^aof_current_size:(\d+)/m.exec(await redis.info('persistence'))?.[1] ?? '0';
  return { scriptCalls: Number(count), microsecondsOfCall: Number(each), logBytes: Number(log) };
}
