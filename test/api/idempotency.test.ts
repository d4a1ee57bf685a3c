import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rotateIdempotency } from '../../engine/redis/commands/rotate-idempotency.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const LINES = [{ sku: 'tea', quantity: 2 }];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let key: string;
let keys = 0;

beforeAll(async () => {
  await api.put('tea', { stock: 10_000 });
});

beforeEach(() => {
  keys += 1;
  key = `key-${keys}`;
});

interface Keyed {
  readonly user?: string;
  readonly key?: string;
  readonly url?: string;
}

function order(
  body: unknown = { items: LINES },
  { user = 'mina', key: used = key, url = api.url }: Keyed = {},
) {
  const headers = { 'idempotency-key': used };
  return call(`${url}/api/v1/orders`, { method: 'POST', token: tokenFor(user), body, headers });
}

const replayed = ({ headers }: HttpAnswer) => headers['idempotency-replayed'] === 'true';

describe('P4: an order that is sent again with its key', () => {
  test('gets the first success to the letter, and takes nothing', async () => {
    const first = await order();
    expect(first.status).toBe(201);
    expect(replayed(first)).toBe(false);
    const state = await api.state();
    const second = await order();
    expect({ status: second.status, body: second.body }).toEqual({ status: 201, body: first.body });
    expect(second.headers.location).toBe(first.headers.location);
    expect(replayed(second)).toBe(true);
    expect(await api.state()).toEqual(state);
  });

  test('50 at once over two api processes are one order', async () => {
    const other = await api.startAnother();
    const before = await api.stockOf('tea');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => order(undefined, { url: at % 2 ? api.url : other.url })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(replayed)).toHaveLength(49);
    expect(before - (await api.stockOf('tea'))).toBe(2);
    expect(await other.stop()).toBe(0);
  });

  test('gets the first success after the order has moved to MariaDB, too', async () => {
    const first = await order();
    const writer = api.start(['writer']);
    while ((await api.redis.xlen(KEYS.journal)) > 0);
    expect(await writer.stop()).toBe(0);
    const second = await order();
    expect(second.body).toEqual(first.body);
    expect(replayed(second)).toBe(true);
    const kept = await api.database.query
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('outcome', '=', first.body.id)
      .execute();
    expect(kept).toHaveLength(1);
  });

  test('a wishlist order is repeated as itself, not as what is on the wishlist by now', async () => {
    const token = tokenFor('wisher');
    const put = () => api.call('/api/v1/wishlist/tea', { method: 'PUT', token, body: { quantity: 3 } });
    const post = () =>
      api.call('/api/v1/wishlist/order', { method: 'POST', token, headers: { 'idempotency-key': key } });
    await put();
    const first = await post();
    expect(first.status).toBe(201);
    await put();
    const second = await post();
    expect(second.body).toEqual(first.body);
    const wishlist = await api.call('/api/v1/wishlist', { token });
    expect(wishlist.body.items).toEqual([{ sku: 'tea', quantity: 3 }]);
  });
});

describe('a key that was used', () => {
  test('for another body is refused, and nothing is taken', async () => {
    await order();
    const state = await api.state();
    expectProblem(await order({ items: [{ sku: 'tea', quantity: 3 }] }), 422, 'idempotency_mismatch');
    expect(await api.state()).toEqual(state);
  });

  test('on another path is refused', async () => {
    await order();
    const token = tokenFor('mina');
    const headers = { 'idempotency-key': key };
    const answer = await api.call('/api/v1/wishlist/order', { method: 'POST', token, headers });
    expectProblem(answer, 422, 'idempotency_mismatch');
  });

  test('by another user is theirs alone', async () => {
    const mine = await order();
    const theirs = await order(undefined, { user: 'jun' });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('for an order that was refused is free: refusals are not kept', async () => {
    const items = [{ sku: `new-${key}`, quantity: 1 }];
    expectProblem(await order({ items }), 422, 'unknown_product');
    await api.put(`new-${key}`, { stock: 1 });
    expect((await order({ items })).status).toBe(201);
    expect(replayed(await order({ items }))).toBe(true);
  });
});

test.each([
  ['empty of visible characters', ' '.repeat(3), 201],
  ['of 255 characters', 'k'.repeat(255), 201],
  ['of 256 characters', 'k'.repeat(256), 400],
  ['with a space inside', 'a b', 400],
  ['with a letter that is not ASCII', 'kéy', 400],
])('a key %s', async (_, used, status) => {
  expect((await order(undefined, { key: used })).status).toBe(status);
});

test('keys are kept for a day at least, and leave as whole slots', async () => {
  await api.redis.del(...IDEMPOTENCY_KEYS);
  const start = Date.now();
  await rotateIdempotency(api.redis, start, DAY_MS);
  const first = await order();
  for (let hour = 0; hour <= 24; hour++) await rotateIdempotency(api.redis, start + hour * HOUR_MS, DAY_MS);
  expect((await order()).body).toEqual(first.body);
  for (let hour = 24; hour <= 48; hour++) await rotateIdempotency(api.redis, start + hour * HOUR_MS, DAY_MS);
  expect((await order()).body.id).not.toBe(first.body.id);
  const [, ...slots] = IDEMPOTENCY_KEYS;
  const sizes = await Promise.all(slots.map((slot) => api.redis.hlen(slot)));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(1);
});
