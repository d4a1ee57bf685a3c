import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const HOLD_SECONDS = 3;
const MAX_RELEASE_LAG_MS = 2_000;
const api = useApi({ HOLD_SECONDS: String(HOLD_SECONDS) });
const STOCK = 1_000;
let other: StartedProcess & { url: string };
let sku: string;
let products = 0;

beforeAll(async () => {
  other = await api.startAnother({ HOLD_SECONDS: String(HOLD_SECONDS) });
});

beforeEach(async () => {
  products += 1;
  sku = `product ${products}`;
  await api.put(sku, { stock: STOCK });
});

const place = async (quantity = 2) => (await api.order('mina', [{ sku, quantity }])).body;

function settle(action: 'confirm' | 'cancel', id: string, { user = 'mina', url = api.url } = {}) {
  return call(`${url}/api/v1/orders/${id}/${action}`, { method: 'POST', token: tokenFor(user) });
}

async function show(id: string) {
  return (await api.call(`/api/v1/orders/${id}`, { token: tokenFor('mina') })).body;
}

const statuses = (answers: HttpAnswer[]) => answers.map(({ status }) => status).sort();

test('an order is held, and says until when', async () => {
  const order = await place();
  expect(order.status).toBe('held');
  expect(Date.parse(order.expiresAt) - Date.parse(order.placedAt)).toBe(HOLD_SECONDS * 1_000);
  expect(await show(order.id)).toEqual(order);
  expect(await api.stockOf(sku)).toBe(STOCK - 2);
});

describe('an order that is held', () => {
  test('is placed when it is confirmed, however often', async () => {
    const order = await place();
    const placed = { ...order, status: 'placed', expiresAt: null };
    for (const url of [api.url, other.url]) {
      const answer = await settle('confirm', order.id, { url });
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: placed });
    }
    expect(await show(order.id)).toEqual(placed);
    expect(await api.stockOf(sku)).toBe(STOCK - 2);
  });

  test('P4: gives its units back once when it is cancelled, however often', async () => {
    const order = await place();
    for (let time = 0; time < 3; time++) {
      expect((await settle('cancel', order.id)).body.status).toBe('cancelled');
    }
    expect(await api.stockOf(sku)).toBe(STOCK);
    expectProblem(await settle('confirm', order.id), 409, 'order_state');
  });

  test('expires when it is not paid, and gives its units back in time', async () => {
    const order = await place();
    await vi.waitUntil(async () => (await show(order.id)).status === 'expired', {
      timeout: 20_000,
      interval: 20,
    });
    expect(Date.now() - Date.parse(order.expiresAt)).toBeLessThan(MAX_RELEASE_LAG_MS);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(order.expiresAt));
    expect(await api.stockOf(sku)).toBe(STOCK);
    expectProblem(await settle('confirm', order.id), 409, 'order_state');
    expectProblem(await settle('cancel', order.id), 409, 'order_state');
  });

  test('is nobody else`s to settle, but an operator`s', async () => {
    const order = await place();
    expectProblem(await settle('confirm', order.id, { user: 'jun' }), 404, 'not_found');
    const token = tokenFor('op', 'operator');
    const answer = await api.call(`/api/v1/orders/${order.id}/cancel`, { method: 'POST', token });
    expect(answer.body.status).toBe('cancelled');
  });

  test('is shown as it was to a request that is sent again with its idempotency key', async () => {
    const send = () =>
      call(`${api.url}/api/v1/orders`, {
        method: 'POST',
        token: tokenFor('mina'),
        body: { items: [{ sku, quantity: 1 }] },
        headers: { 'idempotency-key': `held ${sku}`.replaceAll(' ', '-') },
      });
    const first = await send();
    await settle('confirm', first.body.id);
    expect((await send()).body).toEqual(first.body);
    await api.drain();
    expect((await send()).body).toEqual(first.body);
  });
});

describe('an order that Redis no longer remembers', () => {
  test('P4: gives its units back once when it is cancelled, however often, drained again or not', async () => {
    const order = await place();
    await settle('confirm', order.id);
    await api.drain();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        settle('cancel', order.id, { url: at % 2 ? api.url : other.url }),
      ),
    );
    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    expect(await api.stockOf(sku)).toBe(STOCK);
    await api.drain();
    expect(await api.redis.exists(KEYS.settled)).toBe(0);
    expect((await settle('cancel', order.id)).body.status).toBe('cancelled');
    expect(await api.stockOf(sku)).toBe(STOCK);
    await api.expectConsistent();
  });

  test('P4: is cancelled once while a writer moves it all the time', async () => {
    const writer = api.start(['writer']);
    for (let round = 0; round < 40; round++) {
      const order = await place(1);
      await settle('confirm', order.id);
      const urls = [api.url, other.url, api.url];
      const answers = await Promise.all(urls.map((url) => settle('cancel', order.id, { url })));
      expect(statuses(answers)).toEqual([200, 200, 200]);
    }
    expect(await api.stockOf(sku)).toBe(STOCK);
    await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, { timeout: 20_000 });
    expect(await writer.stop()).toBe(0);
    expect(await api.redis.exists(KEYS.settled, KEYS.held, KEYS.holds)).toBe(0);
    await api.expectConsistent();
  });
});

describe('P4: a race ends in one of the two, and the units agree with it', () => {
  test('confirm against cancel', async () => {
    const orders = await Promise.all(Array.from({ length: 30 }, () => place(1)));
    await Promise.all(
      orders.flatMap(({ id }) => [settle('confirm', id), settle('cancel', id, { url: other.url })]),
    );
    const ends = await Promise.all(orders.map(({ id }) => show(id)));
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['cancelled']));
    expect(await api.stockOf(sku)).toBe(STOCK);
  });

  test.each(['confirm', 'cancel'] as const)('%s against expiry', async (action) => {
    const orders = await Promise.all(Array.from({ length: 60 }, () => place(1)));
    const deadline = Date.parse(orders[0].expiresAt);
    const answers: HttpAnswer[] = [];
    await Promise.all(
      orders.map(async ({ id }, at) => {
        await vi.waitUntil(() => Date.now() >= deadline - 300 + at * 20, { timeout: 20_000, interval: 5 });
        answers.push(await settle(action, id));
      }),
    );
    await vi.waitUntil(async () => (await api.redis.zcard(KEYS.holds)) === 0, { timeout: 20_000 });
    const ends = await Promise.all(orders.map(({ id }) => show(id)));
    const wanted = action === 'confirm' ? 'placed' : 'cancelled';
    const won = ends.filter(({ status }) => status === wanted).length;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(won);
    expect(ends.filter(({ status }) => status === 'expired')).toHaveLength(60 - won);
    expect(await api.stockOf(sku)).toBe(action === 'confirm' ? STOCK - won : STOCK);
  });
});
