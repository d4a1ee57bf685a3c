import { beforeAll, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { type Reconciliation, reconcile } from '../../writer/reconcile/reconcile.ts';
import { tokenFor } from '../fixtures/http.ts';
import { runCommand } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
const SKUS = Array.from({ length: 40 }, (_, at) => `sku ${at}`);
const SHOPPERS = 8;
const COMPARISONS = 25;

beforeAll(async () => {
  await Promise.all(SKUS.map((sku) => api.put(sku, { stock: 1_000_000 })));
});

const skuAt = (at: number) => SKUS[at % SKUS.length]!;

/** One shopper's next deed, the kinds in turn: orders, wishes, wishlist orders, and an operator's prices. */
async function act(user: string, turn: number): Promise<number> {
  const token = tokenFor(user);
  const wish = `/api/v1/wishlist/${encodeURIComponent(skuAt(turn))}`;
  switch (turn % 5) {
    case 0:
      return (await api.put(skuAt(turn * 7), { price: 100 + turn })).status;
    case 1:
      return (await api.call(wish, { method: 'PUT', token, body: { quantity: 1 + (turn % 3) } })).status;
    case 2:
      return (await api.call('/api/v1/wishlist/order', { method: 'POST', token })).status;
    default:
      return (
        await api.order(
          user,
          [turn, turn * 3 + 1].map((at) => ({ sku: skuAt(at), quantity: 1 })),
        )
      ).status;
  }
}

/** Lets shoppers act without a pause while `work` runs; resolves to how much was done meanwhile. */
async function duringTraffic(work: () => Promise<void>): Promise<number> {
  let open = true;
  let done = 0;
  const shopper = async (user: string) => {
    for (let turn = 0; open; turn++) {
      expect([200, 201]).toContain(await act(user, turn));
      done += 1;
    }
  };
  const shoppers = Array.from({ length: SHOPPERS }, (_, at) => shopper(`shopper ${at}`));
  await Promise.race([work(), Promise.all(shoppers)]).finally(() => {
    open = false;
  });
  await Promise.all(shoppers);
  return done;
}

/** So small that the pages of one comparison stand at many different instants. */
const SMALL_PAGES = { keysOfPage: 5, ordersOfPage: 500 };

async function compareManyTimes(): Promise<Reconciliation[]> {
  const results: Reconciliation[] = [];
  for (let time = 0; time < COMPARISONS; time++) {
    const { redis, database } = api;
    const pages = time % 3 === 0 ? SMALL_PAGES : {};
    const result = await reconcile({ redis, database, clock: systemClock, ...pages });
    expect(result.drifts).toEqual([]);
    results.push(result);
  }
  return results;
}

test('no false alarm while orders flow and no writer drains them', async () => {
  let results: Reconciliation[] = [];
  const done = await duringTraffic(async () => {
    results = await compareManyTimes();
  });
  expect(done).toBeGreaterThan(COMPARISONS);
  expect(results.at(-1)!.backlog).toBeGreaterThan(results[0]!.backlog);
  expect(new Set(results.map(({ cut }) => cut)).size).toBeGreaterThan(COMPARISONS / 2);
});

test('no false alarm while orders flow and two writers drain them at the same time', async () => {
  const writers = [1, 2].map(() => api.start(['writer'], { WRITER_ENTRIES: '3' }));
  const sold = async () => (await api.database.query.selectFrom('orders').select('id').execute()).length;
  const before = await sold();
  const done = await duringTraffic(async () => {
    await compareManyTimes();
  });
  expect(done).toBeGreaterThan(COMPARISONS);
  while ((await api.redis.xlen(KEYS.journal)) > 0);
  expect(await sold()).toBeGreaterThan(before);
  for (const writer of writers) expect(await writer.stop()).toBe(0);
  const { redis, database } = api;
  expect(await reconcile({ redis, database, clock: systemClock })).toMatchObject({ backlog: 0, drifts: [] });
  expect(await api.redis.hlen(KEYS.pins)).toBe(0);
});

test('the command itself, during traffic', async () => {
  const words = ['reconcile', '--json', '--data', 'test/no-stack-here'];
  await duringTraffic(async () => {
    for (let time = 0; time < 2; time++) {
      const { code, stdout } = await runCommand(words, api.environment);
      expect([code, JSON.parse(stdout).drifts]).toEqual([0, []]);
    }
  });
});
