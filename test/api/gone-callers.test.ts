import { afterEach, beforeEach, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import type { Role } from '../../engine/token/token.ts';
import { tokenFor } from '../fixtures/http.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { useApi } from '../fixtures/running-api.ts';

const LANES = 2;
const api = useApi({
  BATCH_ORDERS: '1',
  BATCH_LANES: String(LANES),
  QUEUE_WAIT_MS: '30000',
  DECISION_DEADLINE_MS: '30000',
});
const BODY = '{"items":[{"sku":"tea","quantity":1}]}';

beforeEach(async () => {
  await api.put('tea', { stock: 1_000 });
  await api.order('mina', [{ sku: 'tea', quantity: 1 }]); // so that Redis knows the script
});

afterEach(() => api.resumeRedis());

/** Orders on a connection of its own; resolves once the api has read it. */
async function order(path = '/api/v1/orders', user = 'mina', body = BODY): Promise<RawConnection> {
  const connection = await RawConnection.open(api.url);
  const authorization = `Bearer ${tokenFor(user)}`;
  const length = String(body.length);
  connection.send(
    head(`POST ${path}`, {
      Authorization: authorization,
      'Content-Type': 'application/json',
      'Content-Length': length,
    }),
    body,
  );
  await roundTrip();
  return connection;
}

/** The api reads its sockets in the order in which they became readable: what was sent before this it has read. */
async function roundTrip(): Promise<void> {
  expect((await api.call('/healthz')).status).toBe(200);
}

async function goAway(connection: RawConnection): Promise<void> {
  connection.close();
  await connection.untilClosed();
  await roundTrip();
}

const statusOf = async (connection: RawConnection) =>
  /^HTTP\/1\.1 (\d+)/.exec(await connection.until(/"code":"|"id":"/))?.[1];

test('P7: an order whose caller goes away while it waits takes nothing; those around it are served', async () => {
  const before = await api.stockOf('tea');
  api.suspendRedis();
  const inFlight = [];
  for (let lane = 0; lane < LANES; lane++) inFlight.push(await order());
  const gone = await order();
  const waiting = await order();
  await goAway(gone);
  api.resumeRedis();
  expect(await Promise.all([...inFlight, waiting].map(statusOf))).toEqual(['201', '201', '201']);
  expect(before - (await api.stockOf('tea'))).toBe(LANES + 1);
  for (const connection of [...inFlight, waiting]) connection.close();
});

test('P7: a wishlist whose owner goes away while its order waits stays as it was', async () => {
  const token = tokenFor('wisher');
  await api.call('/api/v1/wishlist/tea', { method: 'PUT', token, body: { quantity: 3 } });
  const before = await api.stockOf('tea');
  api.suspendRedis();
  const inFlight = [];
  for (let lane = 0; lane < LANES; lane++) inFlight.push(await order());
  await goAway(await order('/api/v1/wishlist/order', 'wisher', ''));
  api.resumeRedis();
  expect(await Promise.all(inFlight.map(statusOf))).toEqual(Array(LANES).fill('201'));
  expect((await api.order('mina', [{ sku: 'tea', quantity: 1 }])).status).toBe(201);
  expect(before - (await api.stockOf('tea'))).toBe(LANES + 1);
  expect((await api.call('/api/v1/wishlist', { token })).body.items).toEqual([{ sku: 'tea', quantity: 3 }]);
  for (const connection of inFlight) connection.close();
});

/** Sends a change on a connection of its own; resolves once the api has read it. */
async function change(requestLine: string, role: Role, body = ''): Promise<RawConnection> {
  const connection = await RawConnection.open(api.url);
  const headers = {
    Authorization: `Bearer ${tokenFor('changer', role)}`,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
  };
  connection.send(head(requestLine, headers), body);
  await roundTrip();
  return connection;
}

test.each<[string, Role, string, string]>([
  ['PUT /api/v1/wishlist/tea', 'customer', '{"quantity":7}', '{"quantity":8}'],
  ['DELETE /api/v1/wishlist/tea', 'customer', '', ''],
  ['PUT /api/v1/products/tea', 'operator', '{"name":"first","price":7}', '{"name":"gone","price":8}'],
  [
    'POST /api/v1/products/tea/adjustments',
    'operator',
    '{"delta":1,"reason":"first"}',
    '{"delta":1,"reason":"gone"}',
  ],
])('P7: %s is not done for a caller who went away while it waited', async (line, role, first, second) => {
  const token = tokenFor('changer');
  await api.put('cup', { stock: 1_000 });
  for (const sku of ['tea', 'cup'])
    await api.call(`/api/v1/wishlist/${sku}`, { method: 'PUT', token, body: { quantity: 6 } });
  const entries = await api.redis.xlen(KEYS.journal);
  api.suspendRedis();
  const inFlight = await change(line, role, first); // the one lane is busy with it
  await goAway(await change(line.replace('tea', 'cup'), role, second));
  api.resumeRedis();
  expect(await inFlight.until(/^HTTP\/1\.1 20/)).toMatch(/^HTTP\/1\.1 20/);
  const last = await change('PUT /api/v1/wishlist/tea', 'customer', '{"quantity":9}'); // behind what is gone
  expect(await last.until(/\}$/)).toMatch(/^HTTP\/1\.1 200/);
  expect(await api.redis.xlen(KEYS.journal)).toBe(entries + 2);
  for (const connection of [inFlight, last]) connection.close();
});

test('P7: an order is not cancelled for a caller who went away while it waited', async () => {
  const place = () => api.order('changer', [{ sku: 'tea', quantity: 1 }]);
  const orders = await Promise.all([place(), place(), place()]);
  const [first, gone, last] = orders.map(({ body }) => body.id as string);
  const cancel = (id: string) => change(`POST /api/v1/orders/${id}/cancel`, 'customer');
  api.suspendRedis();
  const inFlight = await cancel(first!);
  await goAway(await cancel(gone!));
  api.resumeRedis();
  const behind = await cancel(last!); // what is gone was before it
  for (const connection of [inFlight, behind]) {
    expect(await connection.until(/\}$/)).toMatch(/^HTTP\/1\.1 200/);
    connection.close();
  }
  const shown = await api.call(`/api/v1/orders/${gone}`, { token: tokenFor('changer') });
  expect(shown.body.status).toBe('placed');
});

test('P1: a caller who goes away once the call is on its way has ordered, and once', async () => {
  const before = await api.stockOf('tea');
  api.suspendRedis();
  const gone = await order();
  const waiting = [await order(), await order()]; // the second waits behind the one that is on its way
  await goAway(gone);
  api.resumeRedis();
  expect(await Promise.all(waiting.map(statusOf))).toEqual(['201', '201']);
  expect(before - (await api.stockOf('tea'))).toBe(3);
  for (const connection of waiting) connection.close();
});
