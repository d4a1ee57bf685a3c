import { beforeEach, describe, expect, test } from 'vitest';
import { useRedis } from '../../test/fixtures/servers.ts';
import { measureJournalBytes } from '../redis/backlog-reader.ts';
import { KEYS } from '../redis/keys.ts';
import { BacklogBound } from './backlog-bound.ts';

const redis = useRedis();
let nowMs = 0;
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
const MEGABYTE = 1_000_000;
let last = 0;

const open = (limits: { bytes?: number; entries?: number } = {}) =>
  new BacklogBound({ limits: { bytes: 0, entries: 0, ...limits }, clock });

async function append(count: number, bytes = 60): Promise<void> {
  const pipeline = redis.client.pipeline();
  const content = Buffer.alloc(bytes, 1);
  for (let at = 0; at < count; at++) {
    last += 1;
    pipeline.xadd(KEYS.journal, `1-${last}`, 'entry', content);
  }
  await pipeline.exec();
}

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.config('SET', 'maxmemory', 100 * MEGABYTE);
  [last, nowMs] = [0, 0];
});

describe('derived from the memory of Redis', () => {
  test('half of maxmemory, and as many small entries', async () => {
    const bound = open();
    expect(await bound.look(redis.client)).toBeNull();
    expect(bound.reading?.bound).toEqual({
      bytes: 50 * MEGABYTE,
      entries: Math.floor((50 * MEGABYTE) / 94),
    });
  });

  test('of what the machine has, where maxmemory is not set', async () => {
    await redis.client.config('SET', 'maxmemory', 0);
    const memory = await redis.client.info('memory');
    const machine = Number(/^total_system_memory:(\d+)/m.exec(memory)?.[1]);
    const bound = open();
    await bound.look(redis.client);
    expect(bound.reading?.bound.bytes).toBe(Math.floor(machine / 2));
  });

  test('follows maxmemory', async () => {
    const bound = open();
    await bound.look(redis.client);
    await redis.client.config('SET', 'maxmemory', 200 * MEGABYTE);
    await bound.look(redis.client);
    expect(bound.reading?.bound.bytes).toBe(100 * MEGABYTE);
  });
});

test('one that passes three quarters of the memory is refused, with what to set', async () => {
  expect(await open({ bytes: 75 * MEGABYTE }).look(redis.client)).toBeNull();
  expect(await open({ bytes: 75 * MEGABYTE + 1 }).look(redis.client)).toBe(
    'JOURNAL_BYTES is 75000001, more than three quarters of what Redis may use of memory (100000000 bytes): ' +
      'set it to at most 75000000, or raise maxmemory',
  );
});

describe('P7: full', () => {
  test('from the bound in entries on, until a tenth is drained', async () => {
    const bound = open({ entries: 100 });
    await append(99);
    expect(await bound.look(redis.client)).toBeNull();
    await append(1);
    const said = await bound.look(redis.client);
    expect(said).toMatch(
      /^the journal is full: 100 entries, \d+ bytes wait for MariaDB, the bound is 100 entries, 50000000 bytes: see docs\/RUNBOOK\.md$/,
    );
    await redis.client.xtrim(KEYS.journal, 'MAXLEN', 90);
    expect(await bound.look(redis.client)).toBe(said);
    await redis.client.xtrim(KEYS.journal, 'MAXLEN', 89);
    expect(await bound.look(redis.client)).toBeNull();
    await append(10);
    expect(await bound.look(redis.client)).toBeNull();
  });

  test('from the bound in bytes on', async () => {
    const bound = open({ bytes: 2 * MEGABYTE });
    await append(180, 10_000);
    expect(await bound.look(redis.client)).toBeNull();
    await append(30, 10_000);
    expect(await bound.look(redis.client)).toMatch(/the journal is full: 210 entries, 2\d{6} bytes/);
  });
});

describe('P7: bytes', () => {
  async function usedMemory(): Promise<number> {
    return Number(/^used_memory:(\d+)/m.exec(await redis.client.info('memory'))?.[1]);
  }

  test('are exact to a few per cent also where entries grow from small to large', async () => {
    const before = await usedMemory();
    await append(20_000, 60);
    await append(2_000, 10_000);
    const used = (await usedMemory()) - before;
    const measured = await measureJournalBytes(redis.client);
    expect(Math.abs(measured / used - 1)).toBeLessThan(0.1);
  });

  test('of a long journal are measured every five seconds, and follow its entries in between', async () => {
    const bound = open();
    await append(30_000, 100);
    await bound.look(redis.client);
    const { bytes } = bound.reading!;
    await append(30_000, 1_000);
    nowMs = 4_999;
    await bound.look(redis.client);
    expect(bound.reading?.bytes).toBe(2 * bytes);
    nowMs = 5_000;
    await bound.look(redis.client);
    expect(bound.reading?.bytes).toBeGreaterThan(5 * bytes);
  });
});
