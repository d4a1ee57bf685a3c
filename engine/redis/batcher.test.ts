import { beforeEach, describe, expect, test } from 'vitest';
import { useRedis } from '../../test/fixtures/servers.ts';
import { NotAccepting } from '../domain/fault.ts';
import { systemClock } from '../runtime/clock.ts';
import { Batcher, type BatcherBounds } from './batcher.ts';
import { changeWishlists } from './commands/change-wishlists.ts';
import { type OrderRequest, placeOrders } from './commands/place-orders.ts';
import { putProducts } from './commands/put-products.ts';
import { countEntries } from './journal-stream.ts';
import { KEYS } from './keys.ts';

const redis = useRedis();
const details = { name: 'n', producer: null, type: null, function: null, description: null };
const BOUNDS: BatcherBounds = {
  itemsOfCall: 256,
  weightOfCall: 3_840,
  itemsWaiting: 1_000,
  waitMs: 5_000,
  lanes: 1,
};

function open<Item, Outcome>(
  command: import('./batcher.ts').BatchCommand<Item, Outcome>,
  { bounds = {}, epoch = () => 1 }: { bounds?: Partial<BatcherBounds>; epoch?: () => number } = {},
) {
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch, command };
  return new Batcher<Item, Outcome>({ ...options, bounds: { ...BOUNDS, ...bounds } });
}

const one = (user: string, quantity = 1): OrderRequest => ({ user, lines: [{ sku: 's0', quantity }] });

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  const products = open(putProducts);
  const skus = Array.from({ length: 1_000 }, (_, at) => `s${at}`);
  await Promise.all(skus.map((sku) => products.submit({ sku, price: 5, stock: 1_000, details })));
  await redis.client.config('RESETSTAT');
});

describe('group commit', () => {
  test('orders of one turn share one call and one journal entry', async () => {
    const orders = open(placeOrders);
    const before = await countEntries(redis.client);
    await Promise.all(Array.from({ length: 200 }, (_, at) => orders.submit(one(`u${at}`))));
    expect((await countEntries(redis.client)) - before).toBe(1);
  });

  test('a call holds no more orders and lines than its bounds', async () => {
    const orders = open(placeOrders, { bounds: { itemsOfCall: 10 } });
    const before = await countEntries(redis.client);
    await Promise.all(Array.from({ length: 95 }, (_, at) => orders.submit(one(`u${at}`))));
    expect((await countEntries(redis.client)) - before).toBe(10);
  });

  test('P7: a full call leaves before the callers of the last one are told, one that may become fuller after', async () => {
    const happened: string[] = [];
    const pack: typeof placeOrders.pack = (items, epoch, at) => {
      happened.push(`call of ${items.length}`);
      return placeOrders.pack(items, epoch, at);
    };
    const orders = open({ ...placeOrders, pack }, { bounds: { itemsOfCall: 2 } });
    const told = async (user: string) => {
      await orders.submit(one(user));
      happened.push(user);
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(told));
    expect(happened).toEqual(['call of 2', 'call of 2', 'a', 'b', 'c', 'd', 'call of 1', 'e']);
  });

  test('wishlists that turn out too long for one call are decided in the next', async () => {
    const wishlists = open(changeWishlists);
    const users = Array.from({ length: 6 }, (_, at) => `w${at}`);
    for (const user of users) {
      await Promise.all(
        Array.from({ length: 1_000 }, (_, at) => wishlists.submit({ user, sku: `s${at}`, quantity: 1 })),
      );
    }
    const orders = open(placeOrders);
    const outcomes = await Promise.all(users.map((user) => orders.submit({ user, lines: null })));
    expect(outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.order.items.length)).toEqual(
      users.map(() => 1_000),
    );
  });
});

test('P2: an order that cannot be decided spoils no neighbour of its call', async () => {
  await redis.client.hdel(KEYS.levels, 's1');
  const orders = open(placeOrders);
  const [first, corrupt, third] = await Promise.allSettled([
    orders.submit(one('a')),
    orders.submit({ user: 'b', lines: [{ sku: 's1', quantity: 1 }] }),
    orders.submit(one('c')),
  ]);
  expect(first).toMatchObject({ status: 'fulfilled', value: { kind: 'accepted' } });
  expect(corrupt).toMatchObject({ status: 'rejected', reason: { name: 'InternalFault' } });
  expect(third).toMatchObject({ status: 'fulfilled', value: { kind: 'accepted' } });
  expect(await redis.client.hget(KEYS.levels, 's0')).toBe('998');
});

describe('P7: what cannot be served is refused before it is taken', () => {
  test('past the bound of the queue', async () => {
    const orders = open(placeOrders, { bounds: { itemsWaiting: 3 } });
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, (_, at) => orders.submit(one(`u${at}`))),
    );
    expect(results.map(({ status }) => status)).toEqual([
      ...Array(3).fill('fulfilled'),
      ...Array(2).fill('rejected'),
    ]);
    expect(await redis.client.hget(KEYS.levels, 's0')).toBe('997');
  });

  test('after its time in the queue is over', async () => {
    let now = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => (now += 10) };
    const options = { redis: redis.client, clock, deadlineMs: 5_000, epoch: () => 1, command: placeOrders };
    const orders = new Batcher({ ...options, bounds: { ...BOUNDS, waitMs: 5 } });
    await expect(orders.submit(one('u'))).rejects.toThrow(NotAccepting);
    expect(await redis.client.hget(KEYS.levels, 's0')).toBe('1000');
  });

  test('in its own time, though the calls before it hang', async () => {
    const orders = open(placeOrders, { bounds: { waitMs: 200 } });
    process.kill(redis.server.pid, 'SIGSTOP');
    const first = orders.submit(one('a'));
    await new Promise(setImmediate);
    const started = performance.now();
    await expect(orders.submit(one('b'))).rejects.toThrow(/waited longer than 200 ms/);
    expect(performance.now() - started).toBeLessThan(2_000);
    process.kill(redis.server.pid, 'SIGCONT');
    expect(await first).toMatchObject({ kind: 'accepted' });
    expect(await redis.client.hget(KEYS.levels, 's0')).toBe('999');
  });

  test('when its caller is gone before its call is built; its neighbours are served', async () => {
    const orders = open(placeOrders);
    const isGone = () => true;
    const results = await Promise.allSettled([
      orders.submit(one('a')),
      orders.submit(one('b'), { isGone }),
      orders.submit(one('c'), { isGone: () => false }),
    ]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: { kind: 'accepted' } },
      { status: 'rejected', reason: { name: 'NotAccepting' } },
      { status: 'fulfilled', value: { kind: 'accepted' } },
    ]);
    expect(await redis.client.hget(KEYS.levels, 's0')).toBe('998');
  });

  test('while the gate is closed', async () => {
    const epoch = () => {
      throw new NotAccepting('closed for a test');
    };
    await expect(open(placeOrders, { epoch }).submit(one('u'))).rejects.toThrow('closed for a test');
    expect(await redis.client.hget(KEYS.levels, 's0')).toBe('1000');
  });

  test('while the gate is closed, however many wait: each gets its answer', async () => {
    const epoch = () => {
      throw new NotAccepting('closed for a test');
    };
    const orders = open(placeOrders, { epoch, bounds: { itemsOfCall: 1 } });
    const results = await Promise.allSettled(
      Array.from({ length: 10_000 }, (_, at) => orders.submit(one(`u${at}`))),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10_000);
  });

  test('once it drains; what was taken before is finished', async () => {
    const orders = open(placeOrders);
    const taken = orders.submit(one('u'));
    const drained = orders.drain();
    await expect(orders.submit(one('v'))).rejects.toThrow(NotAccepting);
    await drained;
    expect(await taken).toMatchObject({ kind: 'accepted' });
  });
});
