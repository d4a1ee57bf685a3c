import { beforeAll, describe, expect, test } from 'vitest';
import { parseOrderId } from '../../engine/domain/order-id.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const MILLION = 1_000_000;

const line = (sku: string, quantity: number) => ({ sku, quantity });

beforeAll(async () => {
  await Promise.all([
    api.put('tea', { stock: 100, price: 300 }),
    api.put('cup', { stock: 10, price: 1_200 }),
    api.put('pot', { stock: 0 }),
    api.put('grain', { stock: 10 * MILLION, price: 1 }),
    api.put('villa', { stock: 2 * MILLION, price: 1_000_000_000_000 }),
  ]);
});

describe('an order that is accepted', () => {
  test('is answered with 201, where it is, and all of its members', async () => {
    const answer = await api.order('mina', [line('tea', 2), line('cup', 1)]);

    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers.location).toBe(`/api/v1/orders/${answer.body.id}`);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{16}$/),
      status: 'placed',
      items: [
        { sku: 'tea', quantity: 2, unitPrice: 300, eventId: null },
        { sku: 'cup', quantity: 1, unitPrice: 1_200, eventId: null },
      ],
      total: 1_800,
      placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      expiresAt: null,
    });
    expect(Math.abs(Date.parse(answer.body.placedAt) - Date.now())).toBeLessThan(60_000);
  });

  test('P1: takes exactly its units, lines of the same product added together', async () => {
    const before = await api.stockOf('tea');
    const answer = await api.order('mina', [line('tea', 2), line('cup', 1), line('tea', 3)]);
    expect(
      answer.body.items.map(({ sku, quantity }: { sku: string; quantity: number }) => [sku, quantity]),
    ).toEqual([
      ['tea', 5],
      ['cup', 1],
    ]);
    expect(await api.stockOf('tea')).toBe(before - 5);
  });

  test('may ask for a million units of a product, and for one in a thousand lines', async () => {
    expect((await api.order('mina', [line('grain', MILLION)])).body.total).toBe(MILLION);
    const lines = Array.from({ length: 1_000 }, () => line('grain', 1_000));
    expect((await api.order('mina', lines)).body.items).toMatchObject([{ sku: 'grain', quantity: MILLION }]);
  });

  test('may have a thousand different products', async () => {
    const skus = Array.from({ length: 1_000 }, (_, at) => `thousand-${at}`);
    await Promise.all(skus.map((sku) => api.put(sku, { stock: 1 })));
    const answer = await api.order(
      'mina',
      skus.map((sku) => line(sku, 1)),
    );
    expect(answer.status).toBe(201);
    expect(answer.body.items.map(({ sku }: { sku: string }) => sku)).toEqual(skus);
    expect(answer.body.total).toBe(100_000);
    expect((await api.call(answer.headers.location as string, { token: tokenFor('mina') })).body).toEqual(
      answer.body,
    );
  });

  test('ids sort as the orders were decided', async () => {
    const first = await api.order('mina', [line('grain', 1)]);
    const second = await api.order('jun', [line('grain', 1)]);
    expect(second.body.id > first.body.id).toBe(true);
    expect(parseOrderId(first.body.id)).toMatchObject({ epoch: 1 });
  });
});

describe('P2: an order that is refused takes nothing', () => {
  async function expectNothingTaken(order: () => Promise<void>): Promise<void> {
    const before = await api.state();
    await order();
    expect(await api.state()).toEqual(before);
  }

  test('every short line is named with what was asked for and what there is, 409', async () => {
    await expectNothingTaken(async () => {
      const available = await api.stockOf('cup');
      const answer = await api.order('mina', [line('cup', 500), line('tea', 1), line('pot', 1)]);
      expectProblem(answer, 409, 'out_of_stock');
      expect(answer.body.items).toEqual([
        { sku: 'cup', requested: 500, available },
        { sku: 'pot', requested: 1, available: 0 },
      ]);
    });
  });

  test('P1: a product named twice is checked once, against the sum', async () => {
    await api.put('pair', { stock: 3 });
    await expectNothingTaken(async () => {
      const answer = await api.order('mina', [line('pair', 2), line('pair', 2)]);
      expectProblem(answer, 409, 'out_of_stock');
      expect(answer.body.items).toEqual([{ sku: 'pair', requested: 4, available: 3 }]);
    });
  });

  test('every unknown product is named, 422; unknown beats short', async () => {
    await expectNothingTaken(async () => {
      const lines = [
        line('nothing', 1),
        line('pot', 1),
        line('tea', 1),
        line('__proto__', 1),
        line('constructor', 1),
      ];
      const answer = await api.order('mina', lines);
      expectProblem(answer, 422, 'unknown_product');
      expect(answer.body.items).toEqual([{ sku: 'nothing' }, { sku: '__proto__' }, { sku: 'constructor' }]);
    });
  });

  test('lines in range whose sum is not are refused, 400', async () => {
    await expectNothingTaken(async () => {
      const answer = await api.order('mina', [line('grain', MILLION), line('tea', 1), line('grain', 1)]);
      expectProblem(answer, 400, 'invalid_request');
      expect(answer.body.errors).toEqual([{ path: '/items', message: expect.stringContaining('"grain"') }]);
    });
  });

  test('a total past 2^53 - 1 is refused, 400', async () => {
    await expectNothingTaken(async () => {
      expectProblem(await api.order('mina', [line('villa', MILLION)]), 400, 'invalid_request');
    });
  });

  test('its neighbours in the same batch are not spoilt, and the last units go once', async () => {
    await api.put('rare', { stock: 7 });
    const orders = Array.from({ length: 40 }, (_, at) =>
      api.order(`shopper ${at}`, at % 4 === 0 ? [line('rare', 1), line('nothing', 1)] : [line('rare', 1)]),
    );
    const statuses = (await Promise.all(orders)).map(({ status }) => status);
    const count = (wanted: number) => statuses.filter((status) => status === wanted).length;
    expect([count(201), count(409), count(422)]).toEqual([7, 23, 10]);
    expect(await api.stockOf('rare')).toBe(0);
  });
});

describe('an order is found again', () => {
  test('at once, by its owner and by an operator, but by nobody else', async () => {
    const { body: order } = await api.order('owner', [line('tea', 1)]);
    const show = (token?: string) => call(`${api.url}/api/v1/orders/${order.id}`, token ? { token } : {});

    expect(await show(tokenFor('owner'))).toMatchObject({ status: 200, body: order });
    expect(await show(tokenFor('anyone', 'operator'))).toMatchObject({ status: 200, body: order });
    expectProblem(await show(tokenFor('somebody else')), 404, 'not_found');
    expectProblem(await show(), 401, 'unauthenticated');
  });

  test('P1: what it cost is not changed by a later price', async () => {
    await api.put('jam', { stock: 5, price: 400 });
    const { body: order } = await api.order('owner', [line('jam', 1)]);
    await api.put('jam', { price: 900 });
    const answer = await api.call(`/api/v1/orders/${order.id}`, { token: tokenFor('owner') });
    expect(answer.body).toEqual(order);
  });

  test.each([
    ['no id at all', 'abc'],
    ['never given out', '0001ZZZZZZZZZ000'],
    ['all zeros', '0000000000000000'],
    ['of the highest place', 'ZZZZZZZZZZZZZZZZ'],
    ['with letters that the alphabet leaves out', '0001000000001OIL'],
    ['too long', '00010000000010000'],
    ['an injection', encodeURIComponent("' or 1=1 -- ")],
  ])('an id that is %s is not found', async (_, id) => {
    expectProblem(await api.call(`/api/v1/orders/${id}`, { token: tokenFor('owner') }), 404, 'not_found');
  });

  test('the id of an entry that is no order, and an index past the entry, are not found', async () => {
    const { body: order } = await api.order('owner', [line('tea', 1)]);
    const entryOfProducts = '0001000000000000';
    for (const id of [entryOfProducts, `${order.id.slice(0, -3)}ZZZ`]) {
      expectProblem(await api.call(`/api/v1/orders/${id}`, { token: tokenFor('owner') }), 404, 'not_found');
    }
  });
});
