import { beforeAll, expect, test } from 'vitest';
import { readOrder } from '../../engine/database/statements/read-order.ts';
import { type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const SKUS = ['tea', 'cup', '한', '🍵'];

beforeAll(async () => {
  await Promise.all(SKUS.map((sku) => api.put(sku, { stock: 1_000, price: 123_456_789 })));
});

const show = ({ body }: HttpAnswer, user: string) =>
  api.call(`/api/v1/orders/${body.id}`, { token: tokenFor(user) });

/** Runs a writer until the journal is empty. */
test('P5: an order reads the same before and after it has moved from the journal to MariaDB', async () => {
  const user = '미나 🍵';
  const lines = [...SKUS, 'tea'].map((sku, at) => ({ sku, quantity: at + 1 }));
  const placed = await Promise.all(Array.from({ length: 100 }, () => api.order(user, lines)));
  expect(new Set(placed.map(({ body }) => body.id)).size).toBe(100);
  for (const answer of placed) expect((await show(answer, user)).body).toEqual(answer.body);
  expect(await readOrder(api.database, placed[0]!.body.id)).toBeNull();

  await api.expectConsistent();
  await api.drain();
  await api.expectConsistent();

  for (const answer of placed) {
    expect(await readOrder(api.database, answer.body.id)).toMatchObject({ userId: user, order: answer.body });
    expect((await show(answer, user)).body).toEqual(answer.body);
    expectProblem(await show(answer, '미나'), 404, 'not_found');
  }
});

test('P5: an order is found all the time while the writer moves it', async () => {
  const writer = api.start(['writer']);
  for (let round = 0; round < 30; round++) {
    const answer = await api.order('mina', [{ sku: 'tea', quantity: 1 }]);
    do {
      expect((await show(answer, 'mina')).body).toEqual(answer.body);
    } while (!(await readOrder(api.database, answer.body.id)));
  }
  expect(await writer.stop()).toBe(0);
});
