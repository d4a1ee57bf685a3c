import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRedisClient, type RedisClient, whenReady } from '../../engine/redis/client.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { useApi } from '../fixtures/running-api.ts';
import { countStatuses, expectTruth, orderAs, Rush, type Told } from './rush.ts';

/**
 * What buyers are told while something happens to Redis under load, against what the journal has of them
 * (docs/RELIABILITY.md, "What Redis may answer"). The deadline is long: whatever can be learned must be.
 */
const api = useApi({ DECISION_DEADLINE_MS: '20000', QUEUE_WAIT_MS: '10000' }, [
  ...['--enable-debug-command', 'local'],
  ...['--enable-protected-configs', 'local'],
]);
const PATIENCE = { timeout: 20_000, interval: 5 };
const ids = new Map<string, string>();
let operator: RedisClient;
let rush: Rush;

beforeAll(async () => {
  for (const sku of ['tea', 'cup']) await api.put(sku, { stock: 100_000_000 });
});

/** The load goes on after the fault; every buyer was told the truth. Answers how often each status was told. */
async function settleUp(): Promise<Record<number, number>> {
  await rush.until(201, 50);
  const told = await rush.stop();
  await whenReady(api.redis, 10_000);
  for (const [user, id] of await expectTruth(api, told)) ids.set(user, id);
  return countStatuses(told);
}

const closedWith = (reason: RegExp) =>
  api.process.waitForLog(({ msg, reasons }) => msg === 'gate closed' && reason.test(String(reasons)));

describe('P4: under load, nobody is told anything but the truth, and nobody is left in the dark', () => {
  beforeEach(async () => {
    operator = createRedisClient(api.environment.REDIS_URL!, () => undefined);
    await whenReady(operator, 10_000);
    rush = new Rush(api.url);
    await rush.until(201, 50);
  });

  afterEach(async () => {
    await rush.stop();
    operator.disconnect();
  });

  test('NOSCRIPT: the scripts are flushed again and again: nobody notices', async () => {
    for (let time = 0; time < 20; time++) {
      await operator.script('FLUSH');
      await rush.until(201, 20);
    }
    expect(Object.keys(await settleUp())).toEqual(['201']);
  });

  test('BUSY: another script goes round and round until it is killed', async () => {
    await operator.config('SET', 'busy-reply-threshold', 20);
    const endless = createRedisClient(api.environment.REDIS_URL!, () => undefined);
    await whenReady(endless, 10_000);
    const killed = endless.eval('while true do end', 0).catch((error: Error) => error.message);
    await rush.until(503, 1);
    await operator.script('KILL');
    expect(await killed).toContain('Script killed');
    endless.disconnect();
    await closedWith(/BUSY/);
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('LOADING: Redis reads all its data again', async () => {
    await operator.eval(`for at = 1, 8000 do redis.call('SET', 'filler:' .. at, 1) end`, 0);
    await operator.config('SET', 'key-load-delay', 200);
    const loading = operator.call('DEBUG', 'LOADAOF');
    const isLoading = () =>
      api.redis.get('filler:1').then(
        () => false,
        (error: Error) => error.message.startsWith('LOADING'),
      );
    await vi.waitUntil(isLoading, PATIENCE);
    await loading;
    await operator.config('SET', 'key-load-delay', 0);
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('READONLY: Redis is made a replica, and the master again: the gate says so', async () => {
    await operator.call('REPLICAOF', '127.0.0.1', '1');
    await rush.until(503, 1);
    await closedWith(/Redis is a replica/);
    await operator.call('REPLICAOF', 'NO', 'ONE');
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('MISCONF: Redis cannot save its snapshots: the gate says so', async () => {
    const [, directory] = (await operator.config('GET', 'dir')) as [string, string];
    const gone = mkdtempSync(join(tmpdir(), 'bootakhae-gone-'));
    await operator.config('SET', 'save', '3600 1', 'dir', gone);
    rmdirSync(gone);
    await operator.bgsave();
    await rush.until(503, 1);
    await closedWith(/cannot save its snapshots/);
    await operator.config('SET', 'save', '', 'dir', directory);
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('OOM: the memory is full: the gate says so', async () => {
    const [, before] = (await operator.config('GET', 'maxmemory')) as [string, string];
    await operator.config('SET', 'maxmemory', 1);
    await rush.until(503, 1);
    await closedWith(/no memory left/);
    await operator.config('SET', 'maxmemory', before);
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('every connection is cut, 30 times', async () => {
    for (let time = 0; time < 30; time++) {
      await operator.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await rush.until(201, 10);
    }
    expect((await settleUp())[504]).toBeUndefined();
  });

  test('Redis is killed and comes back with its data, 3 times', async () => {
    for (let time = 0; time < 3; time++) {
      await api.crashRedis();
      await rush.until(201, 10);
    }
    expect((await settleUp())[504]).toBeUndefined();
  });
});

describe('P4: past the deadline', () => {
  const ASKED = 60;

  test('what was sent is told 504, what was not 503; asked again with their keys, each has one order', async () => {
    const impatient = await api.startAnother({
      DECISION_DEADLINE_MS: '300',
      QUEUE_WAIT_MS: '200',
      BATCH_ORDERS: '4',
    });
    api.suspendRedis();
    const users = Array.from({ length: ASKED }, (_, at) => `stopped-${at}`);
    const told = await Promise.all(
      users.map(async (user): Promise<Told> => {
        const { status } = await orderAs(impatient.url, user);
        return { user, status, id: null };
      }),
    ).finally(() => api.resumeRedis());
    const counts = countStatuses(told);
    expect(counts).toEqual({ 503: expect.any(Number), 504: expect.any(Number) });
    await vi.waitUntil(async () => (await api.call('/readyz')).status === 200, PATIENCE);
    for (const [user, id] of await expectTruth(api, told)) ids.set(user, id);
    expect([...ids.keys()].filter((user) => user.startsWith('stopped-'))).toHaveLength(counts[504]!);
    expect(await impatient.stop()).toBe(0);
  });
});

// Last, because it empties the journal.
test('P5: in the end MariaDB has every order that was told or asked for again, once, and no other', async () => {
  const writer = api.start(['writer']);
  await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, PATIENCE);
  expect(await writer.stop()).toBe(0);
  const rows = await api.database.query.selectFrom('orders').select(['id', 'user_id']).execute();
  const kept = rows.map(({ id, user_id }) => `${user_id} ${id}`).sort();
  expect(kept).toEqual(Array.from(ids, ([user, id]) => `${user} ${id}`).sort());
});
