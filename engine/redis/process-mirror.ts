import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** What a process says of itself, as any JSON, and how long ago it said so, ms by Redis's clock. */
export interface Mirrored {
  readonly content: unknown;
  readonly seenAgoMs: number;
}

interface Field {
  readonly seenAtMs: number;
  readonly content: unknown;
}

/** Leaves word in Redis that the process `id` is there. The time is Redis's: a process's own clock may jump. */
export async function mirrorProcess(redis: RedisClient, id: string, content: unknown): Promise<void> {
  const field: Field = { seenAtMs: await readTime(redis), content };
  await redis.hset(KEYS.processes, id, JSON.stringify(field));
}

/** Every process that Redis was told of, by id. */
export async function readMirror(redis: RedisClient): Promise<ReadonlyMap<string, Mirrored>> {
  const nowMs = await readTime(redis);
  const fields = Object.entries(await redis.hgetall(KEYS.processes));
  return new Map(
    fields.map(([id, text]) => {
      const { seenAtMs, content } = JSON.parse(text) as Field;
      return [id, { content, seenAgoMs: nowMs - seenAtMs }];
    }),
  );
}

/** Forgets what was last heard of longer ago than `keepMs`. */
export async function sweepMirror(redis: RedisClient, keepMs: number): Promise<void> {
  const old = [...(await readMirror(redis))].filter(([, { seenAgoMs }]) => seenAgoMs > keepMs);
  if (old.length > 0) await redis.hdel(KEYS.processes, ...old.map(([id]) => id));
}

async function readTime(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
