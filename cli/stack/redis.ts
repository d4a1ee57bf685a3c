import { mkdirSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { findBinary } from './binaries.ts';
import { spawnOwned } from './owned-process.ts';
import { claimFreePort } from './ports.ts';
import { redisAnswers } from './probes.ts';
import {
  asServer,
  environmentWithout,
  type RunningServer,
  type ServerOptions,
  untilReady,
} from './running-server.ts';

const GIGABYTE = 1024 ** 3;
/** Loading a large append-only file takes its time. */
const READY_MS = 120_000;

/**
 * Starts a private Redis on 127.0.0.1 that has every acknowledged write on disk (`appendfsync always`) and
 * refuses writes rather than dropping data when its memory is full.
 *
 * @returns the server once it answers, `url` is `redis://127.0.0.1:port`
 * @throws StackError when it does not come up
 */
export async function startRedis(options: ServerOptions): Promise<RunningServer> {
  mkdirSync(options.dataDirectory, { recursive: true });
  const port = options.port ?? (await claimFreePort());
  const owned = await spawnOwned({
    name: 'redis',
    command: findBinary('redis-server'),
    args: [...redisArguments(options.dataDirectory, port), ...(options.args ?? [])],
    env: environmentWithout('REDIS'),
    cwd: options.dataDirectory,
    logFile: options.logFile ?? join(options.dataDirectory, 'redis.log'),
    patienceMs: 30_000,
  });
  const isReady = () => redisAnswers({ host: '127.0.0.1', port });
  await untilReady(owned, { isReady, timeoutMs: READY_MS, signal: options.signal });
  return asServer(owned, { url: redisUrl(port), port, keepPort: options.port !== undefined });
}

/** The address of a private Redis on `port`. */
export function redisUrl(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

function redisArguments(directory: string, port: number): string[] {
  const memory = Math.min(2 * GIGABYTE, Math.floor(totalmem() / 2));
  return [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', directory],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
    ...['--maxmemory-policy', 'noeviction', '--maxmemory', String(memory)],
    // Small hashes are lists that every lookup searches: levels and prices of a small shop would be.
    ...['--hash-max-listpack-entries', '0'],
  ];
}
