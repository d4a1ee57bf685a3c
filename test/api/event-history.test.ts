import { beforeEach, describe, expect, test } from 'vitest';
import { EVENT_PRICE, EventCalls, inHours, once, pathsOf, STOCK, YEARLY } from '../fixtures/event-calls.ts';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const events = new EventCalls(api);
let sku: string;

beforeEach(async () => {
  sku = await events.newProduct();
});

describe('the history of an event', () => {
  test('tells what each window was given, gave back and sold, the newest first', async () => {
    const id = await events.opened({ repeat: YEARLY });
    const [sold, cancelled] = [await events.order('mina', 3), await events.order('jun', 4)];
    expect([sold.status, cancelled.status]).toEqual([201, 201]);
    await events.adjust(id, [{ sku, delta: 10 }]);
    await events.adjust(id, [{ sku, delta: -4 }]);
    const closed = (await events.step(id, 'close')).body;
    const cancelling = `/api/v1/orders/${cancelled.body.id}/cancel`;
    await api.call(cancelling, { method: 'POST', token: tokenFor('jun') });
    const opened = (await events.step(id, 'open')).body;
    expect(opened.status).toBe('open'); // before its time: the second window, with an allotment of 46
    await events.order('mina', 1);
    await api.drain();
    const { status, body } = await events.history(id);
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
    const page = (await events.history(id, '?limit=1')).body;
    expect(page).toEqual({ items: [body.items[0]], nextCursor: '2' });
    expect((await events.history(id, '?limit=1&cursor=2')).body).toEqual({
      items: [body.items[1]],
      nextCursor: null,
    });
  });

  test('says what was short, and has no products of a window that never was open', async () => {
    const id = await events.opened({ items: [events.item({ stock: 150 })] });
    const never = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    await api.drain();
    const [window] = (await events.history(id)).body.items;
    expect(window).toMatchObject({
      note: expect.stringContaining(sku),
      items: [{ allotted: STOCK, price: null }],
    });
    expect((await events.history(never)).body.items).toMatchObject([{ status: 'scheduled', items: [] }]);
  });

  test('is for operators, and of an event that is there', async () => {
    expectProblem(await events.history('nothing'), 404, 'not_found');
    expectProblem(await events.history('nothing', '', tokenFor('mina')), 403, 'forbidden');
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
    const answer = await events.history('nothing', query);
    expectProblem(answer, 400, 'invalid_request');
    expect(pathsOf(answer)).toEqual([path]);
  });

  test('P7: is refused while MariaDB does not have it', async () => {
    const id = await events.created(once());
    await api.database.pool.query('rename table sale_event_occurrences to hidden_occurrences');
    try {
      expectProblem(await events.history(id), 503, 'not_accepting');
    } finally {
      await api.database.pool.query('rename table hidden_occurrences to sale_event_occurrences');
    }
  });
});
