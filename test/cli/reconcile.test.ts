import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { runCommand } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
/** A port of the loopback interface on which nobody listens. */
const NOBODY = '127.0.0.1:1';
/** A folder in which no local stack runs. */
const NO_STACK = ['--data', 'test/no-stack-here'];

async function reconcile(environment: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await runCommand(['reconcile', '--json', ...NO_STACK], {
    ...api.environment,
    ...environment,
  });
  return { code, stderr, result: stdout ? JSON.parse(stdout) : null };
}

const query = (text: string) => sql.raw(text).execute(api.database.query);

beforeAll(async () => {
  await api.put('tea', { stock: 100, price: 300 });
  await api.put('cup', { stock: 50, price: 10 });
  for (let at = 0; at < 5; at++) await api.order('mina', [{ sku: 'tea', quantity: 2 }]);
  await api.drain();
});

describe('nothing is wrong', () => {
  test('exit code 0, and exactly the members that the contract names', async () => {
    const { code, result } = await reconcile();
    expect([code, result]).toEqual([
      0,
      {
        consistent: true,
        epoch: 1,
        cut: expect.stringMatching(/^1-\d+$/),
        backlog: 0,
        levels: 2,
        orders: 5,
        drifts: [],
      },
    ]);
  });

  test('a backlog of any kind is no drift: it is folded in', async () => {
    for (let at = 0; at < 7; at++) await api.order('mina', [{ sku: 'cup', quantity: 1 }]);
    await api.put('new', { stock: 3 });
    await api.put('tea', { price: 350 });
    const { code, result } = await reconcile();
    expect([code, result]).toMatchObject([
      0,
      { consistent: true, backlog: 9, levels: 3, orders: 12, drifts: [] },
    ]);
    await api.drain();
    expect((await reconcile()).result).toMatchObject({ consistent: true, backlog: 0, levels: 3, orders: 12 });
  });

  test('people read it in one line', async () => {
    const { code, stdout } = await runCommand(['reconcile', ...NO_STACK], api.environment);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^consistent: 3 levels and 12 orders .*\n$/)]);
  });
});

describe('drift: exit code 1, and what it is', () => {
  beforeEach(async () => {
    expect((await reconcile()).result.drifts).toEqual([]);
  });

  /** Does harm, looks, undoes it. */
  async function driftsAfter(harm: () => Promise<unknown>, undo: () => Promise<unknown>) {
    await harm();
    const { code, result } = await reconcile();
    await undo();
    expect([code, result.consistent]).toEqual([1, false]);
    return result.drifts;
  }

  test('a unit too many in Redis', async () => {
    const change = (by: number) => api.redis.hincrby(KEYS.levels, 'tea', by);
    const drifts = await driftsAfter(
      () => change(1),
      () => change(-1),
    );
    expect(drifts).toEqual([
      { sku: 'tea', pool: 'regular', kind: 'level', redis: 91, database: 90, expected: 90, difference: 1 },
    ]);
  });

  test('a level below zero in Redis', async () => {
    const change = (by: number) => api.redis.hincrby(KEYS.levels, 'tea', by);
    const drifts = await driftsAfter(
      () => change(-100),
      () => change(100),
    );
    expect(drifts.map(({ kind, redis }: { kind: string; redis: number }) => [kind, redis])).toEqual([
      ['level', -10],
      ['negative', -10],
    ]);
  });

  test('a level changed in MariaDB: it disagrees with Redis and with its own movements', async () => {
    const set = (units: number) => query(`update stock_levels set available = ${units} where sku = 'tea'`);
    const drifts = await driftsAfter(
      () => set(89),
      () => set(90),
    );
    expect(drifts).toEqual([
      { sku: 'tea', pool: 'regular', kind: 'level', redis: 90, database: 89, expected: 89, difference: 1 },
      { sku: 'tea', pool: 'regular', kind: 'ledger', redis: 90, database: 89, expected: 90, difference: -1 },
    ]);
  });

  test('an order changed in MariaDB: its total is not the sum of its lines', async () => {
    const change = (sign: string) => query(`update orders set total = total ${sign} 1 order by id limit 1`);
    const [drift, ...others] = await driftsAfter(
      () => change('+'),
      () => change('-'),
    );
    expect(others).toEqual([]);
    expect(drift).toMatchObject({ kind: 'order_total', database: 601, expected: 600, difference: 1 });
  });

  test('a price changed in Redis', async () => {
    const set = (price: number) => api.redis.hset(KEYS.prices, 'tea', price);
    const [drift, ...others] = await driftsAfter(
      () => set(1),
      () => set(350),
    );
    expect(others).toEqual([]);
    expect(drift).toMatchObject({ sku: 'tea', kind: 'price', redis: 1, database: 350, difference: -349 });
  });

  test('a level that is lost in Redis, named for people too', async () => {
    await api.redis.hdel(KEYS.levels, 'cup');
    const { code, stdout } = await runCommand(['reconcile', ...NO_STACK], api.environment);
    await api.redis.hset(KEYS.levels, 'cup', 43);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^DRIFT: 1 found .*\n +KIND +SKU +POOL +REDIS .*\n +level +cup +regular +- +43 +43 +\?\n/,
    );
  });
});

describe('it could not compare: exit code 2, and why', () => {
  test('Redis or MariaDB is away', async () => {
    const [withoutRedis, withoutDatabase] = await Promise.all([
      reconcile({ REDIS_URL: `redis://${NOBODY}` }),
      reconcile({ DATABASE_URL: `mariadb://root@${NOBODY}/nothing` }),
    ]);
    expect([withoutRedis.code, withoutRedis.result]).toEqual([2, null]);
    expect(withoutRedis.stderr).toMatch(/^bootakhae: could not compare: Redis at 127\.0\.0\.1:1 .*\n$/);
    expect([withoutDatabase.code, withoutDatabase.result]).toEqual([2, null]);
    expect(withoutDatabase.stderr).toMatch(/^bootakhae: could not compare: /);
  });

  test('MariaDB has no tables', async () => {
    const { code, result } = await reconcile({
      DATABASE_URL: api.environment.DATABASE_URL!.replace(/\/\w+$/, '/information_schema'),
    });
    expect([code, result]).toEqual([2, null]);
  });

  test('a variable is missing', async () => {
    const { code, stderr } = await reconcile({ REDIS_URL: '' });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('REDIS_URL is not set')]);
  });
});
