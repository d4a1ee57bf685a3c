import type { RedisClient } from './client.ts';

/** What the engine needs of a Redis server to keep its promises. */
export interface ServerNeeds {
  /** `always` for P3; a weaker policy only where somebody measures it. */
  readonly appendfsync: 'always' | 'everysec' | 'no';
  /** Replicas that must have an order before it is acknowledged; 0 = none. */
  readonly replicas?: number;
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
  return [...faults, ...(await findStateFaults(redis, needs.replicas ?? 0))];
}

/** What stands against accepting orders in the state that Redis is in, however it is set. */
async function findStateFaults(redis: RedisClient, replicas: number): Promise<string[]> {
  const state = parseInfo((await redis.info('replication')) + (await redis.info('persistence')));
  const faults: string[] = [];
  if (state.get('role') !== 'master')
    faults.push('Redis is a replica, which takes no writes: promote it, or let REDIS_URL name the master');
  const connected = Number(state.get('connected_slaves') ?? 0);
  if (connected < replicas)
    faults.push(
      `Redis has ${connected} replicas, REDIS_REPLICAS asks for ${replicas}: start them, or lower it`,
    );
  if (state.get('aof_last_write_status') === 'err')
    faults.push('Redis cannot write its append-only file: is the disk full? Its log says more');
  if (state.get('rdb_last_bgsave_status') === 'err' && (await stopsWhenSnapshotsFail(redis)))
    faults.push(
      'Redis cannot save its snapshots and refuses writes: see its log, or CONFIG SET save "", the append-only file is enough',
    );
  if (await isMemoryFull(redis))
    faults.push('Redis has no memory left: raise maxmemory, or see docs/DATA.md for what fills it');
  return faults;
}

/** Redis then answers MISCONF to whatever would write. */
async function stopsWhenSnapshotsFail(redis: RedisClient): Promise<boolean> {
  const [, save] = (await redis.config('GET', 'save')) as string[];
  const [, stops] = (await redis.config('GET', 'stop-writes-on-bgsave-error')) as string[];
  return save !== '' && stops === 'yes';
}

function parseInfo(info: string): Map<string, string> {
  return new Map(Array.from(info.matchAll(/^(\w+):(.*?)\r?$/gm), ([, name, value]) => [name!, value!]));
}

/** With noeviction Redis refuses every script from here on. */
async function isMemoryFull(redis: RedisClient): Promise<boolean> {
  const memory = parseInfo(await redis.info('memory'));
  const read = (name: string) => Number(memory.get(name) ?? 0);
  return read('maxmemory') > 0 && read('used_memory') > read('maxmemory');
}

async function readSettings(redis: RedisClient): Promise<Map<string, string>> {
  const flat = (await redis.config('GET', 'append*')) as string[];
  flat.push(...((await redis.config('GET', 'maxmemory-policy')) as string[]));
  return new Map(Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]));
}

/** The version of the server. */
export async function readServerVersion(redis: RedisClient): Promise<string> {
  return parseInfo(await redis.info('server')).get('redis_version') ?? 'unknown';
}
