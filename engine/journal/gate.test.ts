import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { NotAccepting } from '../domain/fault.ts';
import { createRedisClient, type RedisClient } from '../redis/client.ts';
import { KEYS } from '../redis/keys.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';
import { BacklogBound } from './backlog-bound.ts';
import { Gate } from './gate.ts';

const redis = useRedis();
const older = useRedis();
const maria = useDatabase();
let client: RedisClient;
let gate: Gate;
const BOUND_ENTRIES = 50;

const untilReason = (reason: RegExp) =>
  vi.waitUntil(() => gate.reasons.some((text) => reason.test(text)), { timeout: 10_000 });

beforeEach(async () => {
  await redis.client.flushall();
  await setCheckpoint(0, 0);
  client = createRedisClient(redis.url, () => undefined);
  const needs = { appendfsync: 'always' as const };
  const bound = new BacklogBound({ limits: { entries: BOUND_ENTRIES, bytes: 0 }, clock: systemClock });
  const logger = createLogger('gate', 'silent');
  gate = new Gate({ redis: client, database: maria.database, needs, logger, bound });
});

afterEach(() => {
  gate.stop();
  client.disconnect();
});

async function setCheckpoint(epoch: number, sequence: number): Promise<void> {
  await maria.database.query.updateTable('journal_checkpoint').set({ epoch, sequence }).execute();
}

test('is closed until Redis and MariaDB were compared', async () => {
  expect(() => gate.epoch()).toThrow(NotAccepting);
  gate.start();
  await gate.whenOpen(10_000);
  expect(gate.epoch()).toBe(1);
});

test('P3: stays closed as long as Redis acknowledges before it is on disk', async () => {
  await redis.client.config('SET', 'appendfsync', 'everysec');
  gate.start();
  await untilReason(/appendfsync everysec, needs always/);
  expect(() => gate.epoch()).toThrow(NotAccepting);
  await redis.client.config('SET', 'appendfsync', 'always');
  await gate.whenOpen(10_000);
});

test('stays closed on a Redis that may throw stock away', async () => {
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  gate.start();
  await untilReason(/maxmemory-policy allkeys-lru, needs noeviction/);
  await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
  await gate.whenOpen(10_000);
});

test('P6: stays closed on an empty Redis when MariaDB has orders', async () => {
  await setCheckpoint(1, 41);
  gate.start();
  await untilReason(/lost data: its journal ends at 0-0, MariaDB is at 1-41/);
  expect(await redis.client.exists(KEYS.epoch)).toBe(0);
});

test('P6: stays closed on a Redis that has lost the end of its journal', async () => {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.xadd(KEYS.journal, '1-40', 'entry', 'x');
  await setCheckpoint(1, 41);
  gate.start();
  await untilReason(/ends at 1-40, MariaDB is at 1-41/);
});

test('P5: stays closed when entries that MariaDB lacks are missing', async () => {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.xadd(KEYS.journal, '1-43', 'entry', 'x');
  await setCheckpoint(1, 41);
  gate.start();
  await untilReason(/gap: MariaDB is at 1-41, the next entry is 1-43/);
});

test('P6: closes when the connection is lost, and compares again before it opens', async () => {
  gate.start();
  await gate.whenOpen(10_000);
  await setCheckpoint(1, 7);
  client.stream.destroy();
  await untilReason(/lost data/);
  await setCheckpoint(0, 0);
  await gate.whenOpen(10_000);
});

describe('once open, it closes by itself', () => {
  beforeEach(async () => {
    gate.start();
    await gate.whenOpen(10_000);
  });

  test('P3: when Redis stops to fsync always', async () => {
    await redis.client.config('SET', 'appendfsync', 'everysec');
    await untilReason(/appendfsync everysec, needs always/);
    await redis.client.config('SET', 'appendfsync', 'always');
    await gate.whenOpen(10_000);
  });

  test('P6: when Redis is emptied', async () => {
    await setCheckpoint(1, 7);
    await redis.client.flushall();
    await untilReason(/lost data: its journal ends at 0-0, MariaDB is at 1-7/);
  });

  test('P7: when the journal is full, until a tenth of it is drained', async () => {
    for (let at = 0; at < BOUND_ENTRIES; at++) await redis.client.xadd(KEYS.journal, `1-${at}`, 'entry', 'x');
    await untilReason(/the journal is full: 50 entries, \d+ bytes/);
    expect(() => gate.epoch()).toThrow(/journal is full/);
    await setCheckpoint(1, 5);
    await redis.client.xtrim(KEYS.journal, 'MINID', '1-6');
    await gate.whenOpen(10_000);
    expect(gate.closings.counts.get('journal_full')).toBe(1);
  });

  test('when Redis has no memory left', async () => {
    await redis.client.config('SET', 'maxmemory', 1_000_000);
    await untilReason(/no memory left/);
    await redis.client.config('SET', 'maxmemory', 0);
    await gate.whenOpen(10_000);
  });

  test('P6: when Redis is made a replica, and it does not open again on older data', async () => {
    const { hostname, port } = new URL(older.url);
    await redis.client.call('REPLICAOF', hostname, port);
    await untilReason(/Redis is a replica/);
    const isSynced = async () => (await redis.client.info('replication')).includes('master_link_status:up');
    await vi.waitUntil(isSynced, { timeout: 20_000 });
    await setCheckpoint(1, 7);
    await redis.client.call('REPLICAOF', 'NO', 'ONE');
    await untilReason(/lost data: its journal ends at 0-0, MariaDB is at 1-7/);
  });

  test('when Redis does not answer', async () => {
    process.kill(redis.server.pid, 'SIGSTOP');
    await untilReason(/no answer within/);
    process.kill(redis.server.pid, 'SIGCONT');
    await gate.whenOpen(20_000);
  });
});
