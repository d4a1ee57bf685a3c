import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CONTENT_CHARACTERS } from '../../engine/domain/idempotency.ts';
import { formatEventOutcome, parseEventOutcome } from '../../engine/domain/sale-event.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { sweepCounts } from '../../engine/redis/sweep-counts.ts';
import { inHours } from '../fixtures/event-calls.ts';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const STOCK = 100;
const PRICE = 100;
const EVENT_PRICE = 60;
let other: StartedProcess & { url: string };
let sku: string;
let products = 0;

beforeAll(async () => {
  other = await api.startAnother();
});

beforeEach(async () => {
  products += 1;
  sku = `product ${products}`;
  await api.put(sku, { stock: STOCK, price: PRICE });
});

const operator = tokenFor('the operator', 'operator');
const item = (over: object = {}) => ({ sku, stock: 40, price: EVENT_PRICE, limitPerUser: 3, ...over });
const draft = (over: object = {}) => ({
  name: 'a sale',
  startsAt: inHours(-1),
  endsAt: inHours(1),
  items: [item()],
  ...over,
});

const create = (over: object = {}) =>
  api.call('/api/v1/events', { method: 'POST', token: operator, body: draft(over) });

function step(id: string, name: 'open' | 'close' | 'cancel'): Promise<HttpAnswer> {
  return api.call(`/api/v1/events/${id}/${name}`, { method: 'POST', token: operator });
}

async function openEvent(over: object = {}): Promise<string> {
  const created = await create(over);
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  expect((await step(created.body.id, 'open')).status).toBe(200);
  return created.body.id;
}

const order = (user: string, quantity: number, over: object = {}, url = api.url) =>
  call(`${url}/api/v1/orders`, {
    method: 'POST',
    token: tokenFor(user),
    body: { items: [{ sku, quantity }], ...over },
  });

const settle = (user: string, id: string, action: 'cancel' | 'confirm') =>
  api.call(`/api/v1/orders/${id}/${action}`, { method: 'POST', token: tokenFor(user) });

const product = async () => (await api.call(`/api/v1/products/${encodeURIComponent(sku)}`)).body;
const inPool = async () => (await product()).event?.stock;

describe('an event', () => {
  test('is created, listed and shown as it was asked for', async () => {
    const created = await create({ holdSeconds: 30 });
    expect(created.status).toBe(201);
    const { id, ...rest } = created.body;
    const { startsAt, endsAt } = rest;
    const asked = { name: 'a sale', repeat: null, status: 'scheduled', holdSeconds: 30, items: [item()] };
    expect(rest).toEqual({ ...asked, startsAt, endsAt, occurrence: 1 });
    expect(created.headers.location).toBe(`/api/v1/events/${id}`);
    expect((await api.call(`/api/v1/events/${id}`)).body).toEqual(created.body);
    const { items } = (await api.call('/api/v1/events')).body;
    expect(items).toContainEqual(created.body);
    expect((await product()).event).toBeNull();
  });

  test('that overlaps another with one of its products is refused; one after it is not', async () => {
    const first = (await create()).body;
    const refused = await create();
    expectProblem(refused, 409, 'event_overlap');
    expect(refused.body.events).toEqual([first.id]);
    expect((await create({ startsAt: first.endsAt, endsAt: inHours(2) })).status).toBe(201);
  });

  test('with products that do not exist is refused and names them', async () => {
    const refused = await create({ items: [item(), item({ sku: 'nothing' })] });
    expectProblem(refused, 422, 'unknown_product');
    expect(refused.body.items).toEqual([{ sku: 'nothing' }]);
  });

  test.each([
    ['an end before its start', { endsAt: inHours(-2) }],
    ['an end in the past', { startsAt: inHours(-3), endsAt: inHours(-2) }],
    ['a time without an offset', { startsAt: '2030-01-01T10:00:00' }],
    ['a time of no calendar', { startsAt: '2030-13-45T10:00:00Z' }],
    ['30 February', { endsAt: '2032-02-30T10:00:00Z' }],
    ['a start before 1970', { startsAt: '1969-12-31T23:59:59Z' }],
    ['an end after 9999', { endsAt: '9999-12-31T23:59:59-01:00' }],
    ['a time that is no text', { startsAt: 7 }],
    ['no items', { items: [] }],
    ['a limit of 0', { items: [{ sku: 'x', stock: 1, price: 1, limitPerUser: 0 }] }],
    ['a product named twice', { items: [1, 2].map(() => ({ sku: 'x', stock: 1, price: 1 })) }],
    ['a hold that is negative', { holdSeconds: -1 }],
  ])('with %s is refused', async (_, over) => {
    expectProblem(await create(over), 400, 'invalid_request');
  });

  test('may be as far off as times go, and is compared like any other', async () => {
    expect((await create({ endsAt: '9999-12-31T23:59:59.999Z' })).status).toBe(201);
    await api.drain();
    await api.expectConsistent();
  });

  test('is for operators', async () => {
    const customer = { method: 'POST', token: tokenFor('mina'), body: draft() };
    expectProblem(await api.call('/api/v1/events', customer), 403, 'forbidden');
    expectProblem(
      await api.call('/api/v1/events', { method: 'POST', body: draft() }),
      401,
      'unauthenticated',
    );
  });

  test('goes through its states once, however often it is asked to', async () => {
    const { id } = (await create()).body;
    for (const status of ['open', 'open']) expect((await step(id, 'open')).body.status).toBe(status);
    for (const status of ['closed', 'closed']) expect((await step(id, 'close')).body.status).toBe(status);
    expectProblem(await step(id, 'open'), 409, 'event_state');
    expectProblem(await step(id, 'cancel'), 409, 'event_state');
    expectProblem(await step('nothing', 'open'), 404, 'not_found');
  });

  test('P4: is created and changed once under one key, and answered as it was then', async () => {
    const body = draft({ items: [item({ stock: 150 })] });
    const send = (path: string, key: string, sent?: object) =>
      api.call(path, {
        method: 'POST',
        token: operator,
        headers: { 'Idempotency-Key': key },
        ...(sent ? { body: sent } : {}),
      });
    const first = `create-${products}`;
    const created = await send('/api/v1/events', first, body);
    expect(created.status).toBe(201);
    const key = (name: string) => `${name}-${created.body.id}`;
    const path = `/api/v1/events/${created.body.id}`;
    const opened = await send(`${path}/open`, key('open'));
    expect(opened.body.shortfalls).toEqual([{ sku, stock: 150, moved: STOCK }]);
    const again = await send(`${path}/open`, key('open-again'));
    const closed = await send(`${path}/close`, key('close'));
    for (const [answer, repeated] of [
      [created, await send('/api/v1/events', first, body)],
      [opened, await send(`${path}/open`, key('open'))],
      [again, await send(`${path}/open`, key('open-again'))],
      [closed, await send(`${path}/close`, key('close'))],
    ] as const) {
      expect(repeated).toMatchObject({ status: answer.status, body: answer.body });
      expect(repeated.headers['idempotency-replayed']).toBe('true');
      expect(repeated.headers.location).toBe(answer.headers.location);
    }
    expectProblem(await send(`${path}/cancel`, key('open')), 422, 'idempotency_mismatch');
    expectProblem(await send('/api/v1/events', key('open'), body), 422, 'idempotency_mismatch');
    await api.drain();
    await api.expectConsistent();
  });

  test('P4: what a key led to is kept as the journal tells it, also where no units moved back', async () => {
    const id = await openEvent({ items: [item({ stock: 2 })] });
    expect((await order('mina', 2)).status).toBe(201);
    const headers = { 'Idempotency-Key': `close-${id}` };
    const path = `/api/v1/events/${id}/close`;
    expect((await api.call(path, { method: 'POST', token: operator, headers })).status).toBe(200);
    const slots = await Promise.all(IDEMPOTENCY_KEYS.slice(1).map((slot) => api.redis.hvals(slot)));
    const kept = slots.flat().map((record) => record.slice(CONTENT_CHARACTERS));
    const outcome = kept.find((each) => each.startsWith(`!${id}|2|`))!;
    expect(outcome).toBe(formatEventOutcome(parseEventOutcome(outcome)));
  });

  test('that is created by many at once is created once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });
});

describe('P1: the pool of an event', () => {
  test('takes its allotment from regular when it opens, and gives the unsold back when it closes', async () => {
    const id = await openEvent();
    expect(await product()).toMatchObject({ stock: 60, event: { id, price: EVENT_PRICE, stock: 40 } });
    expect((await order('mina', 3)).body.items).toEqual([
      { sku, quantity: 3, unitPrice: EVENT_PRICE, eventId: id },
    ]);
    expect(await inPool()).toBe(37);
    await step(id, 'close');
    expect(await product()).toMatchObject({ stock: 97, event: null });
    await api.drain();
    await api.expectConsistent();
  });

  test('takes what is there when that is less, and says so', async () => {
    const { id } = (await create({ items: [item({ stock: 150 })] })).body;
    const opened = await step(id, 'open');
    expect(opened.body.shortfalls).toEqual([{ sku, stock: 150, moved: STOCK }]);
    expect(await product()).toMatchObject({ stock: 0, event: { stock: STOCK } });
  });

  test('is sold out on its own: regular stock is not touched', async () => {
    await openEvent({ items: [item({ stock: 2 })] });
    const refused = await order('mina', 3);
    expectProblem(refused, 409, 'out_of_stock');
    expect(refused.body.items).toEqual([{ sku, requested: 3, available: 2 }]);
    expect(await product()).toMatchObject({ stock: 98, event: { stock: 2 } });
  });

  test('is left alone before its time and after it, by the clock of the call', async () => {
    const id = await openEvent({ endsAt: new Date(Date.now() + 1_500).toISOString() });
    expect((await order('mina', 1)).body.items[0].eventId).toBe(id);
    await vi.waitUntil(async () => (await product()).event === null, { timeout: 10_000, interval: 50 });
    const late = await order('mina', 1);
    expect(late.body.items).toEqual([{ sku, quantity: 1, unitPrice: PRICE, eventId: null }]);
    expectProblem(await order('mina', 1, { expectedTotal: EVENT_PRICE }), 409, 'price_changed');
    await step(id, 'close');
    expect(await product()).toMatchObject({ stock: 98, event: null });
  });

  test('gets the units of a cancelled order back while it is open; later they go to regular', async () => {
    const id = await openEvent();
    const [first, second] = [(await order('mina', 2)).body, (await order('jun', 2)).body];
    await settle('mina', first.id, 'cancel');
    expect(await inPool()).toBe(38);
    await api.drain();
    await step(id, 'close');
    await settle('jun', second.id, 'cancel');
    expect(await product()).toMatchObject({ stock: STOCK, event: null });
    await api.expectConsistent();
    await api.drain();
    await api.expectConsistent();
  });

  test('holds its orders as long as the event says, and gets them back', async () => {
    await openEvent({ holdSeconds: 1 });
    const held = (await order('mina', 3)).body;
    expect(held.status).toBe('held');
    expectProblem(await order('mina', 1), 409, 'limit_exceeded');
    await vi.waitUntil(async () => (await inPool()) === 40, { timeout: 10_000, interval: 50 });
    expect((await order('mina', 3)).status).toBe(201);
    await api.expectConsistent();
  });
});

describe('P1: the limit for each customer', () => {
  test('counts held and placed orders, names what is over it, and takes nothing', async () => {
    const id = await openEvent();
    expect((await order('mina', 2)).status).toBe(201);
    const refused = await order('mina', 2);
    expectProblem(refused, 409, 'limit_exceeded');
    expect(refused.body.items).toEqual([{ sku, limit: 3, already: 2, requested: 2 }]);
    expect(await inPool()).toBe(38);
    expect((await order('jun', 3)).status).toBe(201);
    await api.drain();
    await api.expectConsistent();
    await step(id, 'close');
  });

  test('P4: is freed once by a cancellation, however often it is asked for, before and after the drain', async () => {
    await openEvent();
    const first = (await order('mina', 3)).body;
    for (let time = 0; time < 3; time++) await settle('mina', first.id, 'cancel');
    const second = (await order('mina', 3)).body;
    expect(second.status).toBe('placed');
    await api.drain();
    for (let time = 0; time < 3; time++) await settle('mina', second.id, 'cancel');
    expect((await order('mina', 2)).status).toBe(201);
    expectProblem(await order('mina', 2), 409, 'limit_exceeded');
    await api.expectConsistent();
  });

  test('cannot be passed by many requests at once through two api processes', async () => {
    await openEvent();
    const wishes = Array.from({ length: 60 }, (_, at) => order('mina', 1, {}, at % 2 ? api.url : other.url));
    const answers = await Promise.all(wishes);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ body }) => body.code === 'limit_exceeded')).toHaveLength(57);
    expect(await inPool()).toBe(37);
  });

  test('begins at nothing in another event, and what the one before counted is swept away', async () => {
    await sweepCounts(api.redis);
    const before = await api.redis.hlen(KEYS.counts);
    const id = await openEvent();
    expect((await order('mina', 3)).status).toBe(201);
    await step(id, 'close');
    await openEvent();
    expect((await order('mina', 3)).status).toBe(201);
    expect(await sweepCounts(api.redis)).toBe(1);
    expect(await api.redis.hlen(KEYS.counts)).toBe(before + 1);
    expectProblem(await order('mina', 1), 409, 'limit_exceeded');
  });

  test('holds for wishlists', async () => {
    await openEvent();
    const path = `/api/v1/wishlist/${encodeURIComponent(sku)}`;
    await api.call(path, { method: 'PUT', token: tokenFor('mina'), body: { quantity: 4 } });
    const refused = await api.call('/api/v1/wishlist/order', { method: 'POST', token: tokenFor('mina') });
    expectProblem(refused, 409, 'limit_exceeded');
    expect(refused.body.items).toEqual([{ sku, limit: 3, already: 0, requested: 4 }]);
    await api.call(path, { method: 'PUT', token: tokenFor('mina'), body: { quantity: 2 } });
    const order = (body: object) =>
      api.call('/api/v1/wishlist/order', { method: 'POST', token: tokenFor('mina'), body });
    expectProblem(await order({ expectedTotal: 2 * PRICE }), 409, 'price_changed');
    expect((await order({ expectedTotal: 2 * EVENT_PRICE })).status).toBe(201);
  });
});
