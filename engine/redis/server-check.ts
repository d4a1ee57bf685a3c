import type { RedisClient } from './client.ts';

/** What the engine needs of a Redis server to keep its promises. */
export interface ServerNeeds {
  /** `always` for P3; a weaker policy only where somebody measures it. */
  readonly appendfsync: 'always' | 'everysec' | 'no';
}

/** Reads the server's settings and says, a line each, what stands against accepting orders. Empty = nothing. */
export async function findServerFaults(redis: RedisClient, needs: ServerNeeds): Promise<string[]> {
  const settings = await readSettings(redis);
  const faults: string[] = [];
  const expect = (name: string, wanted: string, reason: string) => {
    const is = settings.get(name);
    if (is !== wanted) faults.push(`Redis has ${name} ${is ?? '(unreadable)'}, needs ${wanted}: ${reason}`);
  };
  expect('appendonly', 'yes', 'an acknowledged order must be on disk');
  expect('appendfsync', needs.appendfsync, 'an acknowledged order must survive power loss');
  expect('maxmemory-policy', 'noeviction', 'an evicted level would be lost stock');
  if (await isMemoryFull(redis))
    faults.push('Redis has no memory left: raise maxmemory, or see docs/DATA.md for what fills it');
  return faults;
}

/** With noeviction Redis refuses every script from here on. */
async function isMemoryFull(redis: RedisClient): Promise<boolean> {
  const info = await redis.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return read('maxmemory') > 0 && read('used_memory') > read('maxmemory');
}

async function readSettings(redis: RedisClient): Promise<Map<string, string>> {
  const flat = (await redis.config('GET', 'append*')) as string[];
  flat.push(...((await redis.config('GET', 'maxmemory-policy')) as string[]));
  return new Map(Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]));
}
