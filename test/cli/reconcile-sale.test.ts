import { beforeAll, expect, test, vi } from 'vitest';
import { formatPlace, parseOrderId } from '../../engine/domain/order-id.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import type { Drift } from '../../writer/reconcile/drift.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { inHours } from '../fixtures/event-calls.ts';
import { tokenFor } from '../fixtures/http.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi({ HOLD_SECONDS: '2' });
const operator = tokenFor('the operator', 'operator');
const SKUS = ['tea', 'cup', 'pot', 'jar'];
const SHOPPERS = 6;
const COMPARISONS = 8;
/** So small that the pages of one comparison stand at many different instants. */
const SMALL_PAGES = { keysOfPage: 25, ordersOfPage: 500 };

beforeAll(async () => {
  for (const sku of SKUS) await api.put(sku, { stock: 1_000_000 });
});

/** Opens a sale of half the products; every customer may have 5 of each. */
async function openSale(holdSeconds = 1): Promise<string> {
  const items = SKUS.slice(0, 2).map((sku) => ({ sku, stock: 1_000, price: 60, limitPerUser: 5 }));
  const body = { name: 'a sale', startsAt: inHours(-1), endsAt: inHours(1), holdSeconds, items };
  const created = await api.call('/api/v1/events', { method: 'POST', token: operator, body });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  await step(created.body.id, 'open');
  return created.body.id;
}

async function step(id: string, name: 'open' | 'close'): Promise<void> {
  const answer = await api.call(`/api/v1/events/${id}/${name}`, { method: 'POST', token: operator });
  expect(answer.status).toBe(200);
}

/** Orders, and confirms, cancels or forgets, in turn. */
async function act(user: string, turn: number): Promise<void> {
  const items = [turn, turn + 1].map((at) => ({ sku: SKUS[at % SKUS.length]!, quantity: 1 }));
  const { status, body } = await api.order(user, items);
  if (status !== 201) return; // the limit
  const action = (['confirm', 'cancel', null, 'cancel'] as const)[turn % 4];
  const path = `/api/v1/orders/${body.id}/${action}`;
  if (action) await api.call(path, { method: 'POST', token: tokenFor(user) });
}

async function driftsOf(pages: object): Promise<readonly Drift[]> {
  const { redis, database } = api;
  return (await reconcile({ redis, database, clock: systemClock, ...pages })).drifts;
}

async function compareWhileSalesComeAndGo(): Promise<void> {
  for (let time = 0; time < COMPARISONS; time += 2) {
    const sale = await openSale();
    expect(await driftsOf(SMALL_PAGES)).toEqual([]);
    const [drifts] = await Promise.all([driftsOf(SMALL_PAGES), step(sale, 'close')]);
    expect(drifts).toEqual([]);
  }
}

async function duringTraffic(work: () => Promise<void>): Promise<void> {
  let open = true;
  const shopper = async (user: string) => {
    for (let turn = 0; open; turn++) await act(user, turn);
  };
  const shoppers = Array.from({ length: SHOPPERS }, (_, at) => shopper(`shopper ${at}`));
  await work().finally(() => {
    open = false;
  });
  await Promise.all(shoppers);
}

async function drain(writer: StartedProcess): Promise<void> {
  await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, { timeout: 30_000 });
  expect(await writer.stop()).toBe(0);
}

test('no false alarm of holds, limits, offers and events, while sales open and close and no writer drains', async () => {
  await duringTraffic(compareWhileSalesComeAndGo);
});

test('nor while a writer drains, is killed, and another one goes on', async () => {
  const writer = api.start(['writer'], { WRITER_ENTRIES: '20' });
  await duringTraffic(async () => {
    await compareWhileSalesComeAndGo();
    await writer.stop('SIGKILL');
    const next = api.start(['writer']);
    await compareWhileSalesComeAndGo();
    await drainAtEnd(next);
  });
});

async function drainAtEnd(writer: StartedProcess): Promise<void> {
  await writer.waitForLog(() => true);
  await writer.stop();
}

test('what is off with holds and limits is named', async () => {
  await openSale(600);
  const { body } = await api.order('mina', [{ sku: 'tea', quantity: 2 }]);
  await drain(api.start(['writer']));
  const place = formatPlace(parseOrderId(body.id)!);
  const [field] = (await api.redis.hkeys(KEYS.counts)).filter((name) => name.endsWith('\0mina'));
  await api.redis.zincrby(KEYS.holds, 3_600_000, place);
  await api.redis.hincrby(KEYS.counts, field!, 1);
  expect(await driftsOf({})).toMatchObject([
    { kind: 'hold_deadline', order: body.id, difference: 3_600_000 },
    { kind: 'limit', sku: 'tea', user: 'mina', redis: 3, expected: 2 },
  ]);
  await api.redis.hincrby(KEYS.counts, field!, -1);
  await api.redis.zincrby(KEYS.holds, -3_600_000, place);
  await api.redis.zrem(KEYS.holds, place);
  expect((await driftsOf({})).map(({ kind }) => kind)).toEqual(['hold_deadline']);
  await api.redis.zadd(KEYS.holds, Date.parse(body.expiresAt), place);
});
