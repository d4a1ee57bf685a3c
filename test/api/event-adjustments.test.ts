import { beforeEach, describe, expect, test } from 'vitest';
import { EventCalls, inHours, pathsOf, STOCK } from '../fixtures/event-calls.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const events = new EventCalls(api);
let sku: string;

beforeEach(async () => {
  sku = await events.newProduct();
});

const product = async (name = sku) => (await api.call(`/api/v1/products/${encodeURIComponent(name)}`)).body;

describe('P1: adjusting an open event', () => {
  test('moves units in and back out, and the event has that allotment from then on', async () => {
    const id = await events.opened();
    const more = await events.adjust(id, [{ sku, delta: 20 }]);
    expect(more).toMatchObject({
      status: 200,
      body: { items: [events.item({ stock: 60 })], shortfalls: [] },
    });
    expect(await product()).toMatchObject({ stock: 40, event: { stock: 60 } });
    await events.adjust(id, [{ sku, delta: -50 }]);
    expect(await product()).toMatchObject({ stock: 90, event: { stock: 10 } });
    expect(await events.show(id)).toMatchObject({ items: [events.item({ stock: 10 })] });
    await events.step(id, 'close');
    expect(await product()).toMatchObject({ stock: STOCK, event: null });
  });

  test('does all of it or nothing, and names what is short', async () => {
    const other = `${sku} b`;
    await api.put(other, { stock: 5, price: 100 });
    const id = await events.opened({ items: [events.item(), events.item({ sku: other, stock: 5 })] });
    expect((await events.order('mina', 3)).status).toBe(201);
    for (const [delta, available] of [
      [61, 60],
      [-38, 37],
      [-1_000, 37],
    ] as const) {
      const refused = await events.adjust(id, [
        { sku, delta },
        { sku: other, delta: -1 },
      ]);
      expectProblem(refused, 409, 'out_of_stock');
      expect(refused.body.items).toEqual([{ sku, requested: Math.abs(delta), available }]);
    }
    expect(await product()).toMatchObject({ stock: 60, event: { stock: 37 } });
    expect(await product(other)).toMatchObject({ stock: 0, event: { stock: 5 } });
  });

  test('holds while orders race with it', async () => {
    const id = await events.opened();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        at % 4 === 0
          ? events.adjust(id, [{ sku, delta: at % 8 === 0 ? 7 : -5 }])
          : events.order(`user ${at}`, 2),
      ),
    );
    const refusals = answers.filter(({ status }) => status > 201).map(({ body }) => body.code);
    expect(refusals.filter((code) => code !== 'out_of_stock')).toEqual([]);
    const sold = 2 * answers.filter(({ status }) => status === 201).length;
    const { stock, event } = await product();
    expect(stock + event.stock + sold).toBe(STOCK);
    await events.step(id, 'close');
    expect(await product()).toMatchObject({ stock: STOCK - sold, event: null });
    await api.drain();
    await api.expectConsistent();
  });

  test('P4: is made once under one key, also when the event is closed by then', async () => {
    const id = await events.opened();
    const headers = { 'Idempotency-Key': `adjust-${id}` };
    const first = await events.adjust(id, [{ sku, delta: 5 }], headers);
    await events.step(id, 'close');
    const again = await events.adjust(id, [{ sku, delta: 5 }], headers);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers['idempotency-replayed']).toBe('true');
    expectProblem(await events.adjust(id, [{ sku, delta: 6 }], headers), 422, 'idempotency_mismatch');
    expectProblem(
      await events.adjust(id, [{ sku: 'not in it', delta: 6 }], headers),
      422,
      'idempotency_mismatch',
    );
    expect(await product()).toMatchObject({ stock: STOCK });
  });

  test.each([
    ['nothing to move', [{ sku: 'x', delta: 0 }], '/items/0/delta'],
    ['half a unit', [{ sku: 'x', delta: 0.5 }], '/items/0/delta'],
    ['a product named twice', [1, 2].map((delta) => ({ sku: 'x', delta })), '/items/1/sku'],
    ['no items', [], '/items'],
  ])('with %s is refused', async (_, items, path) => {
    const answer = await events.adjust(await events.opened(), items);
    expectProblem(answer, 400, 'invalid_request');
    expect(pathsOf(answer)).toEqual([path]);
  });

  test('is refused for an event that is not open, is not there, or does not carry the product', async () => {
    const scheduled = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    expectProblem(await events.adjust(scheduled, [{ sku, delta: 1 }]), 409, 'event_state');
    await events.step(scheduled, 'cancel');
    const open = await events.opened();
    expectProblem(await events.adjust('nothing', [{ sku, delta: 1 }]), 404, 'not_found');
    const foreign = await events.adjust(open, [{ sku: 'nothing', delta: 1 }]);
    expectProblem(foreign, 422, 'unknown_product');
    expect(foreign.body.items).toEqual([{ sku: 'nothing' }]);
    const body = { items: [{ sku, delta: 1 }] };
    expectProblem(await events.post(`/${scheduled}/adjustments`, body), 400, 'invalid_request');
  });
});
