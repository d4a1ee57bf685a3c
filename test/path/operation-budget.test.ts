import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestedLine } from '../../engine/domain/order.ts';
import type { BatchCommand } from '../../engine/redis/batcher.ts';
import { Batcher } from '../../engine/redis/batcher.ts';
import { changeWishlists } from '../../engine/redis/commands/change-wishlists.ts';
import { placeOrders, placeOrdersScript } from '../../engine/redis/commands/place-orders.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { runCommand, type StartedProcess, startApi } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';
import { PRODUCTS_FILE, readBaskets } from '../fixtures/shop-data.ts';

/** The hot path's budget of Redis operations, counted by Redis itself. */
const MAX_COMMANDS_IN_SCRIPT = 8;
/** What the lane needs so that a repeated call has its effect once. */
const IDEMPOTENCY_COMMANDS = 2;

const redis = useRedis();
const maria = useDatabase();
const baskets = readBaskets();
const largest = baskets.reduce((a, b) => (b.lines.length > a.lines.length ? b : a));
let api: StartedProcess & { url: string };

beforeAll(async () => {
  const environment = { REDIS_URL: redis.url, DATABASE_URL: maria.url };
  await runCommand(['import', PRODUCTS_FILE, '--stock', '100000000'], environment);
  api = await startApi(environment);
});

afterAll(() => api?.stop());

/**
 * What Redis carried out for calls of place-orders while `work` ran, as it tells a monitor: one list of commands a call.
 * Other scripts (an api ends holds twice a second) are not looked at.
 */
async function callsDuring(work: () => Promise<void>): Promise<string[][]> {
  const monitor = await redis.client.monitor();
  const calls: string[][] = [];
  let current: string[] | null = null;
  const seen = new Promise<void>((resolve) => {
    monitor.on('monitor', (_: string, args: string[], source: string) => {
      const [name = '', first = ''] = args;
      if (name.toLowerCase() === 'echo' && first === MARK) return resolve();
      if (source === 'lua') return current?.push(name.toLowerCase());
      current = first === placeOrdersScript.sha ? [] : null;
      if (current) calls.push(current);
    });
  });
  await work();
  await redis.client.echo(MARK);
  await seen;
  monitor.disconnect();
  return calls;
}

/** Tells the monitor's reader that it has seen everything. */
const MARK = 'all of it was seen';

function open<Item, Outcome>(command: BatchCommand<Item, Outcome>) {
  const bounds = { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 10_000, waitMs: 10_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 10_000, epoch: () => 1 };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

describe(`the largest real basket (${largest.lines.length} lines)`, () => {
  const post = (path: string, user: string, body?: object) =>
    call(api.url + path, { method: 'POST', token: tokenFor(user), ...(body ? { body } : {}) });

  test('is one Redis call as a direct order', async () => {
    const [commands, ...more] = await callsDuring(async () => {
      const answer = await post('/api/v1/orders', 'direct', { items: largest.lines });
      expect(answer.status).toBe(201);
    });
    expect(more).toEqual([]);
    expect(commands!.length).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
  });

  test('is one Redis call as a wishlist', async () => {
    await putOnWishlist('wisher', largest.lines);
    const [commands, ...more] = await callsDuring(async () => {
      const answer = await post('/api/v1/wishlist/order', 'wisher');
      expect(answer.body.items).toHaveLength(largest.lines.length);
    });
    expect(more).toEqual([]);
    expect(commands!.length).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
  });
});

test.each([1, 16, 64, 200])(
  'a batch of %i orders, wishlists among them, keeps to the budget',
  async (size) => {
    const batch = baskets.filter(({ lines }) => lines.length < 30).slice(0, size);
    for (const { invoice, lines } of batch.filter((_, at) => at % 4 === 0))
      await putOnWishlist(invoice, lines);
    const calls = await callsDuring(async () => {
      const orders = open(placeOrders);
      const outcomes = await Promise.all(
        batch.map(({ invoice, lines }, at) =>
          orders.submit({ user: invoice, lines: at % 4 === 0 ? null : lines }),
        ),
      );
      expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
    });
    expect(calls.length).toBeGreaterThan(0);
    for (const commands of calls) {
      expect(commands.length).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
      expect(commands.filter((name) => name === 'mget' || name === 'set').sort()).toEqual(['mget', 'set']);
    }
  },
);

async function putOnWishlist(user: string, lines: readonly RequestedLine[]): Promise<void> {
  const wishlists = open(changeWishlists);
  await Promise.all(lines.map(({ sku, quantity }) => wishlists.submit({ user, sku, quantity })));
}
