import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { emptyTables, useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { type ProcessRow, upsertProcess } from '../database/statements/upsert-process.ts';
import { NotAccepting } from '../domain/fault.ts';
import { createRedisClient, type RedisClient } from '../redis/client.ts';
import { KEYS } from '../redis/keys.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';
import { BacklogBound } from './backlog-bound.ts';
import { Gate } from './gate.ts';

const redis = useRedis(['--enable-debug-command', 'local']);
const older = useRedis();
const maria = useDatabase();
let client: RedisClient;
let gate: Gate;
let warnings: MockInstance;
const BOUND_ENTRIES = 50;

const untilReason = (reason: RegExp) =>
  vi.waitUntil(() => gate.reasons.some((text) => reason.test(text)), { timeout: 10_000 });

beforeEach(async () => {
  await redis.client.flushall();
  await emptyTables(maria.database);
  client = createRedisClient(redis.url, () => undefined);
  const parts = options(client);
  warnings = vi.spyOn(parts.logger, 'warn');
  gate = new Gate(parts);
});

const options = (redis: RedisClient) => ({
  redis,
  database: maria.database,
  needs: { appendfsync: 'always' as const },
  logger: createLogger('gate', 'silent'),
  bound: new BacklogBound({ limits: { entries: BOUND_ENTRIES, bytes: 0 }, clock: systemClock }),
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

test('P5: stays closed when the journal was emptied past what MariaDB has', async () => {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.xadd(KEYS.journal, '1-43', 'entry', 'x');
  await redis.client.xtrim(KEYS.journal, 'MAXLEN', 0);
  await setCheckpoint(1, 41);
  gate.start();
  await untilReason(/gap: MariaDB is at 1-41, the journal ends at 1-43 and is empty/);
});

test('P6: stays closed on a Redis from before a recovery, though its journal is long enough', async () => {
  await writeUpTo('1-41');
  await maria.database.query.updateTable('journal_checkpoint').set({ fence: 2 }).execute();
  gate.start();
  await untilReason(/of epoch 1, from before the recovery that began epoch 2/);
});

test('P6: stays closed while Redis is being rebuilt', async () => {
  await writeUpTo('1-41');
  await redis.client.set(KEYS.recovering, 2);
  gate.start();
  await untilReason(/being rebuilt, as epoch 2/);
  await redis.client.del(KEYS.recovering);
  await gate.whenOpen(10_000);
});

describe('P3, P6: what was acknowledged must be there', () => {
  test('stays closed when another process has acknowledged more than there is', async () => {
    await writeUpTo('1-5');
    await speak({ acknowledged: { epoch: 1, sequence: 9 }, isStopped: true });
    gate.start();
    await untilReason(/entry 1-9 was acknowledged, Redis's journal ends at 1-5, MariaDB is at 0-0/);
  });

  test('stays closed when this process has, MariaDB being away all the time before', async () => {
    await writeUpTo('1-5');
    gate.start();
    await gate.whenOpen(10_000);
    gate.acknowledge({ epoch: 1, sequence: 9 });
    client.stream.destroy();
    await untilReason(/entry 1-9 was acknowledged/);
  });

  test('opens when what was acknowledged has left the journal for MariaDB', async () => {
    await writeUpTo('1-9');
    await setCheckpoint(1, 9);
    await speak({ acknowledged: { epoch: 1, sequence: 9 }, isStopped: true });
    gate.start();
    await gate.whenOpen(10_000);
  });

  test('on another run of Redis, whoever is alive is heard first; whoever is not is not waited for', async () => {
    await writeUpTo('1-5');
    const id = await speak({});
    await speak({});
    await maria.database.query
      .updateTable('processes')
      .set({ seen_at: new Date(Date.now() - 60_000) })
      .where('id', '!=', id)
      .execute();
    gate.start();
    await untilReason(/waiting to hear what api 4711 on there has acknowledged/);
    await speak({ id });
    await gate.whenOpen(10_000);
  });

  test('a run that another gate found sound is believed at once', async () => {
    await writeUpTo('1-5');
    gate.start();
    await gate.whenOpen(10_000);
    await speak({});
    const second = new Gate(options(client));
    second.start();
    await second.whenOpen(10_000);
    second.stop();
  });
});

/** A journal whose last entry is `id`, all of it trimmed but that. */
async function writeUpTo(id: string): Promise<void> {
  await redis.client.set(KEYS.epoch, 1);
  const [, sequence] = id.split('-');
  for (let at = 0; at <= Number(sequence); at++)
    await redis.client.xadd(KEYS.journal, `1-${at}`, 'entry', 'x');
}

/** Another api says what it has acknowledged; resolves to its id. */
async function speak(over: Partial<ProcessRow>): Promise<string> {
  const row: ProcessRow = {
    ...{ id: randomUUID(), kind: 'api', host: 'there', pid: 4711, version: '1', url: null },
    ...{ acknowledged: { epoch: 0, sequence: 0 }, report: '{}', isStopped: false, ...over },
  };
  await upsertProcess(maria.database, row);
  return row.id;
}

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

  test('P6: when its journal is gone, or ends earlier than it did', async () => {
    await redis.client.xadd(KEYS.journal, '1-5', 'entry', 'x');
    gate.acknowledge({ epoch: 1, sequence: 5 });
    await redis.client.del(KEYS.journal);
    await untilReason(/lost data|acknowledged orders are lost/);
    expect(() => gate.epoch()).toThrow(NotAccepting);
  });

  test('when Redis has no memory left', async () => {
    await redis.client.config('SET', 'maxmemory', 1_000_000);
    await untilReason(/no memory left/);
    await redis.client.config('SET', 'maxmemory', 0);
    await gate.whenOpen(10_000);
  });

  test('P6: when a recovery begins, or Redis gets another history, its connections never cut', async () => {
    await redis.client.set(KEYS.recovering, 2);
    await untilReason(/being rebuilt, as epoch 2/);
    await redis.client.del(KEYS.recovering);
    await gate.whenOpen(10_000);
    await redis.client.call('DEBUG', 'CHANGE-REPL-ID');
    // It opens again within milliseconds, so what it logged tells.
    const wasSaid = () => JSON.stringify(warnings.mock.calls).includes('another than it was');
    await vi.waitUntil(wasSaid, { timeout: 10_000 });
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
