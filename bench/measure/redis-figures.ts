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

/** Script calls since the server started, and their time inside Redis in microseconds, fsync not included. */
export interface ScriptUse {
  readonly calls: number;
  readonly microseconds: number;
}

/** Reads what scripts have cost until now; the difference of two readings is what a load cost. */
export async function readScriptUse(redis: RedisClient): Promise<ScriptUse> {
  const stats = await redis.info('commandstats');
  const [, calls = '0', microseconds = '0'] = /^cmdstat_evalsha:calls=(\d+),usec=(\d+)/m.exec(stats) ?? [];
  return { calls: Number(calls), microseconds: Number(microseconds) };
}

/** Bytes that Redis holds for data and itself, once nothing is left to be freed in the background. */
export async function readUsedBytes(redis: RedisClient): Promise<number> {
  for (;;) {
    const memory = await redis.info('memory');
    const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1]);
    if (figure('lazyfree_pending_objects') === 0) return figure('used_memory');
  }
}

/** Bytes of these keys as Redis itself counts them, every field looked at; a key that is not there has none. */
export async function readKeyBytes(redis: RedisClient, keys: readonly string[]): Promise<number> {
  const each = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
  return each.reduce<number>((total, bytes) => total + (bytes ?? 0), 0);
}
