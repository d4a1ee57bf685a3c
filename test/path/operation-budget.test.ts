import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestedLine } from '../../engine/domain/order.ts';
import type { BatchCommand } from '../../engine/redis/batcher.ts';
import { Batcher } from '../../engine/redis/batcher.ts';
import { changeWishlists } from '../../engine/redis/commands/change-wishlists.ts';
import { placeOrders } from '../../engine/redis/commands/place-orders.ts';
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

/** How often each command ran since the counters were reset, EVALSHA and what scripts call included. */
async function commandCounts(): Promise<Record<string, number>> {
  const stats = await redis.client.info('commandstats');
  const rows = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, calls]) => [
    name!,
    Number(calls),
  ]);
  const { info: _, 'config|resetstat': __, ...counts } = Object.fromEntries(rows) as Record<string, number>;
  return counts;
}

const sum = (counts: Record<string, number>) =>
  Object.values(counts).reduce((total, calls) => total + calls, 0);

function open<Item, Outcome>(command: BatchCommand<Item, Outcome>) {
  const bounds = { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 10_000, waitMs: 10_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 10_000, epoch: () => 1 };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

describe(`the largest real basket (${largest.lines.length} lines)`, () => {
  test('is one Redis call as a direct order', async () => {
    await redis.client.config('RESETSTAT');
    const body = { items: largest.lines };
    const answer = await call(`${api.url}/api/v1/orders`, {
      method: 'POST',
      token: tokenFor('direct'),
      body,
    });
    expect(answer.status).toBe(201);
    const { evalsha, ...inside } = await commandCounts();
    expect(evalsha).toBe(1);
    expect(sum(inside)).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
  });

  test('is one Redis call as a wishlist', async () => {
    await putOnWishlist('wisher', largest.lines);
    await redis.client.config('RESETSTAT');
    const answer = await call(`${api.url}/api/v1/wishlist/order`, {
      method: 'POST',
      token: tokenFor('wisher'),
    });
    expect(answer.status).toBe(201);
    expect(answer.body.items).toHaveLength(largest.lines.length);
    const { evalsha, ...inside } = await commandCounts();
    expect(evalsha).toBe(1);
    expect(sum(inside)).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
  });
});

test.each([1, 16, 64, 200])(
  'a batch of %i orders, wishlists among them, keeps to the budget',
  async (size) => {
    const batch = baskets.filter(({ lines }) => lines.length < 30).slice(0, size);
    for (const { invoice, lines } of batch.filter((_, at) => at % 4 === 0))
      await putOnWishlist(invoice, lines);
    await redis.client.config('RESETSTAT');
    const orders = open(placeOrders);
    const outcomes = await Promise.all(
      batch.map(({ invoice, lines }, at) =>
        orders.submit({ user: invoice, lines: at % 4 === 0 ? null : lines }),
      ),
    );
    expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true);
    const { evalsha, ...inside } = await commandCounts();
    const perCall = Object.fromEntries(
      Object.entries(inside).map(([name, calls]) => [name, calls / evalsha!]),
    );
    expect(sum(perCall)).toBeLessThanOrEqual(MAX_COMMANDS_IN_SCRIPT + IDEMPOTENCY_COMMANDS);
    expect({ mget: perCall.mget, set: perCall.set }).toEqual({ mget: 1, set: 1 });
  },
);

async function putOnWishlist(user: string, lines: readonly RequestedLine[]): Promise<void> {
  const wishlists = open(changeWishlists);
  await Promise.all(lines.map(({ sku, quantity }) => wishlists.submit({ user, sku, quantity })));
}
