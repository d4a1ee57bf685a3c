import { describe, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const OPERATOR = tokenFor('the operator', 'operator');
const BILLION = 1_000_000_000;

function put(path: string, body: unknown) {
  return api.call(`/api/v1/products/${path}`, { method: 'PUT', token: OPERATOR, body });
}

describe('PUT /api/v1/products/{sku}', () => {
  test('creates a product with 201 and changes it with 200; stock counts only at creation', async () => {
    const product = { sku: 'tea', name: 'Green tea', price: 300, stock: 5, event: null };
    const nothing = { producer: null, type: null, function: null, description: null };

    const created = await put('tea', { name: 'Green tea', price: 300, stock: 5 });
    expect(created).toMatchObject({ status: 201, body: { ...product, ...nothing } });

    const changed = await put('tea', {
      name: '녹차',
      price: 350,
      stock: 99,
      producer: 'Boseong',
      type: 'drink',
    });
    const expected = { ...product, ...nothing, name: '녹차', price: 350, producer: 'Boseong', type: 'drink' };
    expect(changed).toMatchObject({ status: 200, body: expected });
    expect((await api.call('/api/v1/products/tea')).body).toEqual(expected);
  });

  test('P4: the same again changes nothing, not even the journal', async () => {
    const product = { name: 'Cup', price: 1_200, stock: 3, description: null };
    await put('cup', product);
    const before = await api.state();
    expect((await put('cup', product)).status).toBe(200);
    expect(await api.state()).toEqual(before);
  });

  test('created by many at once it exists once, with the first stock', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => put('race', { name: 'Race', price: 1, stock: at + 1 })),
    );
    const created = answers.filter(({ status }) => status === 201);
    expect(created).toHaveLength(1);
    expect(await api.stockOf('race')).toBe(created[0]!.body.stock);
  });

  test('takes price and stock up to their bounds, and a price of nothing', async () => {
    const most = { price: 1_000 * BILLION, stock: 1_000 * BILLION };
    expect((await put('most', { name: 'Most', ...most })).body).toMatchObject(most);
    expect((await put('free', { name: 'Free', price: 0, stock: 0 })).body).toMatchObject({
      price: 0,
      stock: 0,
    });
  });

  test.each([
    ['/name', { price: 1 }],
    ['/name', { name: '', price: 1 }],
    ['/name', { name: 'a'.repeat(256), price: 1 }],
    ['/price', { name: 'a' }],
    ['/price', { name: 'a', price: -1 }],
    ['/price', { name: 'a', price: 1.5 }],
    ['/price', { name: 'a', price: '1' }],
    ['/price', { name: 'a', price: 1_000 * BILLION + 1 }],
    ['/stock', { name: 'a', price: 1, stock: -1 }],
    ['/stock', { name: 'a', price: 1, stock: 0.5 }],
    ['/stock', { name: 'a', price: 1, stock: null }],
    ['/stock', { name: 'a', price: 1, stock: 1_000 * BILLION + 1 }],
    ['/type', { name: 'a', price: 1, type: 'a'.repeat(65) }],
    ['/producer', { name: 'a', price: 1, producer: 7 }],
    ['/sku', { name: 'a', price: 1, sku: 'another' }],
  ])('refuses a wrong value and names %s', async (path, body) => {
    const answer = await put('wrong', body);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors).toEqual([{ path, message: expect.stringMatching(/\S/) }]);
    expectProblem(await api.call('/api/v1/products/wrong'), 404, 'not_found');
  });
});

describe('a SKU in a path', () => {
  test.each([
    '%',
    '/',
    'a/b',
    '한',
    '한글 이름',
    '{}:',
    '?q=1',
    '#',
    'a b',
    'a+b',
    '🍵',
    'order',
    '__proto__',
    'a;b',
    '%2F',
  ])('"%s" names the product that it names in a body', async (sku) => {
    const path = encodeURIComponent(sku);
    expect((await put(path, { name: `called ${sku}`, price: 7, stock: 9 })).body.sku).toBe(sku);
    expect((await api.call(`/api/v1/products/${path}`)).body).toMatchObject({ sku, stock: 9 });
    expect((await api.order('mina', [{ sku, quantity: 2 }])).status).toBe(201);
    const wish = await api.call(`/api/v1/wishlist/${path}`, {
      method: 'PUT',
      token: tokenFor('mina'),
      body: { quantity: 1 },
    });
    expect(wish).toMatchObject({ status: 200, body: { sku, quantity: 1 } });
    expect(await api.stockOf(sku)).toBe(7);
  });

  test('"a" and "A" are different products', async () => {
    for (const [at, sku] of ['a', 'A', '가'].entries()) await api.put(sku, { stock: at + 1 });
    for (const [at, sku] of ['a', 'A', '가'].entries()) expect(await api.stockOf(sku)).toBe(at + 1);
  });

  test('a syllable in parts can name no product: it would look like the whole one', async () => {
    const answer = await put(encodeURIComponent('가'.normalize('NFD')), { name: 'a', price: 1 });
    expectProblem(answer, 400, 'invalid_request');
  });

  test.each(['%FF', '%E0%A4%A', '%', '%zz', '%ED%A0%80'])('%s is no UTF-8: 400', async (path) => {
    expectProblem(await api.call(`/api/v1/products/${path}`), 400, 'invalid_request');
    expectProblem(await put(path, { name: 'a', price: 1 }), 400, 'invalid_request');
  });

  test.each(['%00', '%0A', '%20a', 'a%20', '%C2%85', 'a'.repeat(65)])(
    '%s can name no product: 400',
    async (path) => {
      const answer = await put(path, { name: 'a', price: 1 });
      expectProblem(answer, 400, 'invalid_request');
      expect(answer.body.errors[0].path).toBe('sku');
    },
  );

  test.each(['nothing', '%00', 'a'.repeat(5_000), '__proto__x'])(
    'one that is unknown is not found',
    async (path) => {
      expectProblem(await api.call(`/api/v1/products/${path}`), 404, 'not_found');
    },
  );
});

test.each([
  ['gone', (sku: string) => api.redis.hdel(KEYS.levels, sku)],
  ['no number', (sku: string) => api.redis.hset(KEYS.levels, sku, 'many')],
  ['no whole one', (sku: string) => api.redis.hset(KEYS.levels, sku, '1.5')],
])('one whose level is %s is not shown as if it had one', async (what, spoil) => {
  const sku = `spoilt ${what}`;
  await api.put(sku, { stock: 5 });
  await spoil(sku);
  expectProblem(await api.call(`/api/v1/products/${encodeURIComponent(sku)}`), 500, 'internal_error');
  await api.redis.hset(KEYS.levels, sku, 5);
  expect(await api.stockOf(sku)).toBe(5);
});
