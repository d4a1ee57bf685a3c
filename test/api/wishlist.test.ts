import { beforeAll, describe, expect, test } from 'vitest';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const FULL = 1_000;
const skuAt = (at: number) => `product ${at}`;

beforeAll(async () => {
  await Promise.all([
    api.put('tea', { stock: 20 }),
    api.put('cup', { stock: 20 }),
    api.put('pot', { stock: 2 }),
  ]);
  await Promise.all(Array.from({ length: FULL + 1 }, (_, at) => api.put(skuAt(at), { stock: 5 })));
});

/** One shopper's wishlist. */
class Wishlist {
  readonly #token: string;

  constructor(user: string) {
    this.#token = tokenFor(user);
  }

  put(sku: string, quantity: unknown) {
    const path = `/api/v1/wishlist/${encodeURIComponent(sku)}`;
    return api.call(path, { method: 'PUT', token: this.#token, body: { quantity } });
  }

  delete(sku: string) {
    return api.call(`/api/v1/wishlist/${encodeURIComponent(sku)}`, { method: 'DELETE', token: this.#token });
  }

  order() {
    return api.call('/api/v1/wishlist/order', { method: 'POST', token: this.#token });
  }

  async lines(): Promise<[string, number][]> {
    const { body } = await api.call('/api/v1/wishlist', { token: this.#token });
    return body.items.map(({ sku, quantity }: { sku: string; quantity: number }) => [sku, quantity]);
  }
}

describe('the lines of a wishlist', () => {
  test('are put, changed and taken off, and keep the order in which they were first put', async () => {
    const wishlist = new Wishlist('mina');
    expect(await wishlist.lines()).toEqual([]);
    expect(await wishlist.put('tea', 2)).toMatchObject({ status: 200, body: { sku: 'tea', quantity: 2 } });
    await wishlist.put('cup', 1);
    await wishlist.put('pot', 1);
    await wishlist.put('tea', 7);
    expect(await wishlist.lines()).toEqual([
      ['tea', 7],
      ['cup', 1],
      ['pot', 1],
    ]);
    const deleted = await wishlist.delete('cup');
    expect([deleted.status, deleted.body]).toEqual([204, null]);
    expect((await wishlist.delete('cup')).status).toBe(204);
    expect((await wishlist.delete('never known')).status).toBe(204);
    await wishlist.put('cup', 3);
    expect(await wishlist.lines()).toEqual([
      ['tea', 7],
      ['pot', 1],
      ['cup', 3],
    ]);
  });

  test('are one shopper’s own', async () => {
    await new Wishlist('one').put('tea', 1);
    expect(await new Wishlist('another').lines()).toEqual([]);
  });

  test.each([0, -1, 1.5, '1', null, 1_000_001])('take no quantity of %s', async (quantity) => {
    const wishlist = new Wishlist('wrong');
    expectProblem(await wishlist.put('tea', quantity), 400, 'invalid_request');
    expect(await wishlist.lines()).toEqual([]);
  });

  test('name only known products', async () => {
    const answer = await new Wishlist('wrong').put('unheard of', 1);
    expectProblem(answer, 422, 'unknown_product');
    expect(answer.body.items).toEqual([{ sku: 'unheard of' }]);
  });

  test('of many at once on one wishlist are all kept', async () => {
    const wishlist = new Wishlist('hasty');
    await Promise.all(Array.from({ length: 50 }, (_, at) => wishlist.put(skuAt(at), at + 1)));
    expect((await wishlist.lines()).map(([, quantity]) => quantity).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
  });
});

describe('POST /api/v1/wishlist/order', () => {
  test('P2: orders all lines in their order, and the wishlist is empty afterwards', async () => {
    const wishlist = new Wishlist('buyer');
    const before = [await api.stockOf('tea'), await api.stockOf('cup')] as const;
    await wishlist.put('cup', 2);
    await wishlist.put('tea', 3);
    const answer = await wishlist.order();
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      status: 'placed',
      total: 500,
      items: [
        { sku: 'cup', quantity: 2, unitPrice: 100, eventId: null },
        { sku: 'tea', quantity: 3, unitPrice: 100, eventId: null },
      ],
    });
    expect(await wishlist.lines()).toEqual([]);
    expect([await api.stockOf('tea'), await api.stockOf('cup')]).toEqual([before[0] - 3, before[1] - 2]);
    const found = await api.call(answer.headers.location as string, { token: tokenFor('buyer') });
    expect(found.body).toEqual(answer.body);
  });

  test('of an empty wishlist is refused with 422', async () => {
    expectProblem(await new Wishlist('nobody').order(), 422, 'empty_wishlist');
  });

  test('P2: with one short line takes nothing and leaves the wishlist as it was', async () => {
    const wishlist = new Wishlist('greedy');
    await wishlist.put('tea', 1);
    await wishlist.put('pot', 3);
    const before = await api.state();
    const answer = await wishlist.order();
    expectProblem(answer, 409, 'out_of_stock');
    expect(answer.body.items).toEqual([{ sku: 'pot', requested: 3, available: 2 }]);
    expect(await api.state()).toEqual(before);
  });

  test('P4: pressed ten times at once orders once', async () => {
    const wishlist = new Wishlist('nervous');
    await wishlist.put('tea', 1);
    const before = await api.stockOf('tea');
    const answers = await Promise.all(Array.from({ length: 10 }, () => wishlist.order()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'empty_wishlist')).toHaveLength(9);
    expect(await api.stockOf('tea')).toBe(before - 1);
  });
});

describe('a wishlist of a thousand lines', () => {
  const users = ['full 0', 'full 1', 'full 2', 'full 3', 'full 4'];

  test('is full: one more is refused, a line on it may still change', async () => {
    for (const user of users) {
      const wishlist = new Wishlist(user);
      await Promise.all(Array.from({ length: FULL }, (_, at) => wishlist.put(skuAt(at), 1)));
      expect(await wishlist.lines()).toHaveLength(FULL);
    }
    const [wishlist] = users.map((user) => new Wishlist(user));
    expectProblem(await wishlist!.put(skuAt(FULL), 1), 422, 'wishlist_full');
    expect((await wishlist!.put(skuAt(0), 1)).status).toBe(200);
    expect(await wishlist!.lines()).toHaveLength(FULL);
  });

  test('is ordered in one call, also when more press at once than fit a call', async () => {
    const answers = await Promise.all(users.map((user) => new Wishlist(user).order()));
    expect(answers.map(({ status, body }) => [status, body.items?.length])).toEqual(
      users.map(() => [201, FULL]),
    );
    expect(await api.stockOf(skuAt(0))).toBe(0);
    expect(await new Wishlist(users[0]!).lines()).toEqual([]);
  });
});
