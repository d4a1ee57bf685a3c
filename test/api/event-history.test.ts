import { beforeEach, describe, expect, test, vi } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const STOCK = 100;
const EVENT_PRICE = 60;
const operator = tokenFor('the operator', 'operator');
/** A month from which today is far. */
const MONTH = String(((new Date().getUTCMonth() + 6) % 12) + 1);
const DAILY = { cron: '0 14 * * *', timezone: 'Asia/Seoul', durationMinutes: 30 };
const YEARLY = { ...DAILY, cron: `0 14 1 ${MONTH} *` };
let sku: string;
let products = 0;

beforeEach(async () => {
  products += 1;
  sku = `product: ${products}`;
  await api.put(sku, { stock: STOCK, price: 100 });
});

const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const item = (over: object = {}) => ({ sku, stock: 40, price: EVENT_PRICE, limitPerUser: null, ...over });

const post = (path: string, body?: object, headers: Record<string, string> = {}) =>
  api.call(`/api/v1/events${path}`, { method: 'POST', token: operator, headers, ...(body && { body }) });

const create = (over: object = {}, headers = {}) =>
  post('', { name: 'a sale', items: [item()], ...over }, headers);
const once = () => ({ startsAt: inHours(-1), endsAt: inHours(1) });
const step = (id: string, name: 'open' | 'close' | 'cancel') => post(`/${id}/${name}`);
const adjust = (id: string, items: object[], headers = {}) =>
  post(`/${id}/adjustments`, { items, reason: 'a recount' }, headers);

async function idOf(answer: Promise<HttpAnswer>): Promise<string> {
  const { status, body } = await answer;
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}

async function openEvent(over: object = {}): Promise<string> {
  const id = await idOf(create({ ...once(), ...over }));
  expect((await step(id, 'open')).status).toBe(200);
  return id;
}

const order = (user: string, quantity: number, name = sku) => api.order(user, [{ sku: name, quantity }]);
const pathsOf = ({ body }: HttpAnswer) => body.errors.map(({ path }: { path: string }) => path);

const history = (id: string, query = '', token = operator) =>
  api.call(`/api/v1/events/${id}/occurrences${query}`, { token });

async function drain(): Promise<void> {
  const writer = api.start(['writer']);
  await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, { timeout: 20_000 });
  expect(await writer.stop()).toBe(0);
}

describe('the history of an event', () => {
  test('tells what each window was given, gave back and sold, the newest first', async () => {
    const id = await openEvent({ repeat: YEARLY });
    const [sold, cancelled] = [await order('mina', 3), await order('jun', 4)];
    expect([sold.status, cancelled.status]).toEqual([201, 201]);
    await adjust(id, [{ sku, delta: 10 }]);
    await adjust(id, [{ sku, delta: -4 }]);
    const closed = (await step(id, 'close')).body;
    const cancelling = `/api/v1/orders/${cancelled.body.id}/cancel`;
    await api.call(cancelling, { method: 'POST', token: tokenFor('jun') });
    const opened = (await step(id, 'open')).body;
    expect(opened.status).toBe('open'); // before its time: the second window, with an allotment of 46
    await order('mina', 1);
    await drain();
    const { status, body } = await history(id);
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        {
          ...{ occurrence: 2, status: 'open', startsAt: opened.startsAt, endsAt: closed.endsAt },
          ...{ openedAt: expect.any(String), closedAt: null, note: null },
          items: [{ sku, allotted: 46, returned: 0, sold: 1, price: EVENT_PRICE }],
        },
        {
          ...{ occurrence: 1, status: 'closed', startsAt: expect.any(String), endsAt: expect.any(String) },
          ...{ openedAt: expect.any(String), closedAt: expect.any(String), note: null },
          items: [{ sku, allotted: 46, returned: 39, sold: 3, price: EVENT_PRICE }],
        },
      ],
      nextCursor: null,
    });
    const page = (await history(id, '?limit=1')).body;
    expect(page).toEqual({ items: [body.items[0]], nextCursor: '2' });
    expect((await history(id, '?limit=1&cursor=2')).body).toEqual({
      items: [body.items[1]],
      nextCursor: null,
    });
  });

  test('says what was short, and has no products of a window that never was open', async () => {
    const id = await openEvent({ items: [item({ stock: 150 })] });
    const never = await idOf(create({ startsAt: inHours(1), endsAt: inHours(2) }));
    await drain();
    const [window] = (await history(id)).body.items;
    expect(window).toMatchObject({
      note: expect.stringContaining(sku),
      items: [{ allotted: STOCK, price: null }],
    });
    expect((await history(never)).body.items).toMatchObject([{ status: 'scheduled', items: [] }]);
  });

  test('is for operators, and of an event that is there', async () => {
    expectProblem(await history('nothing'), 404, 'not_found');
    expectProblem(await history('nothing', '', tokenFor('mina')), 403, 'forbidden');
  });

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?limit=1.5', 'limit'],
    ['?limit=', 'limit'],
    ['?limit', 'limit'],
    ['?limit=1&limit=2', 'limit'],
    ['?cursor=x', 'cursor'],
    ['?cursor=0', 'cursor'],
    ['?page=2', 'page'],
    ['?constructor=2', 'constructor'],
    ['?limit=%zz', 'limit=%zz'],
  ])('is not asked for with %s', async (query, path) => {
    const answer = await history('nothing', query);
    expectProblem(answer, 400, 'invalid_request');
    expect(pathsOf(answer)).toEqual([path]);
  });

  test('P7: is refused while MariaDB does not have it', async () => {
    const id = await idOf(create(once()));
    await api.database.pool.query('rename table sale_event_occurrences to hidden_occurrences');
    try {
      expectProblem(await history(id), 503, 'not_accepting');
    } finally {
      await api.database.pool.query('rename table hidden_occurrences to sale_event_occurrences');
    }
  });
});
