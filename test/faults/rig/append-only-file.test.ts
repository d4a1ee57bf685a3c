import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '../../../cli/stack/redis.ts';
import type { RunningServer } from '../../../cli/stack/running-server.ts';
import { createRedisClient, type RedisClient, whenReady } from '../../../engine/redis/client.ts';
import { KEYS } from '../../../engine/redis/keys.ts';
import { AppendOnlyFile } from './append-only-file.ts';

/** What the power cuts stand on: a file that is torn inside the block of a script loses all of that block. */
const SCRIPT = `
  redis.call('SET', KEYS[2], ARGV[1])
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return redis.call('XADD', KEYS[1], '1-*', 'entry', ARGV[1])
  end
  return redis.call('XADD', KEYS[1], 'NOMKSTREAM', '1-*', 'entry', ARGV[1])`;
const ENTRIES = 5;
let directory: string;
let redis: RunningServer;
let client: RedisClient;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-aof-'));
  await start();
  for (let at = 1; at <= ENTRIES; at++)
    await client.eval(SCRIPT, 2, KEYS.journal, 'seen', `number ${at}\r\n`);
  await kill();
});

afterAll(async () => {
  await kill();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  redis = await startRedis({ dataDirectory: directory });
  client = createRedisClient(redis.url, () => undefined);
  await whenReady(client, 10_000);
}

async function kill(): Promise<void> {
  client.disconnect();
  redis.kill('SIGKILL');
  await redis.exited;
}

test('finds each entry and its block; torn anywhere inside a block, Redis comes back without it', async () => {
  const file = new AppendOnlyFile(directory);
  expect(file.entries.map(({ content }) => content.toString())).toEqual(
    Array.from({ length: ENTRIES }, (_, at) => `number ${at + 1}\r\n`),
  );
  expect(file.entries.map(({ position }) => position.sequence)).toEqual([0, 1, 2, 3, 4]);
  const last = file.entries.at(-1)!;
  expect(last.to).toBe(file.size);
  for (const [bytes, left] of [
    [file.size - 1, 4],
    [last.from + 1, 4],
    [file.entries[2]!.to - 20, 2],
  ] as const) {
    const gone = file.cut(bytes);
    expect(gone).toHaveLength(ENTRIES - left);
    await start();
    expect(await client.xlen(KEYS.journal)).toBe(left);
    expect(await client.get('seen')).toBe(`number ${left}\r\n`);
    await kill();
  }
});
