import { describe, expect, test } from 'vitest';
import { inHours } from '../fixtures/event-calls.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { until, useLiveStock } from '../fixtures/live-stock.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const live = useLiveStock(api);
const operator = tokenFor('the operator', 'operator');

describe('a stream', () => {
  test('begins with how to read it, and with everything as it is now', async () => {
    const { id, skus } = await live.openEvent(2);
    await live.order(skus[0]!, 3);
    const source = await live.watchSurely(id);
    expect(source.head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(source.head).toContain('Content-Type: text/event-stream\r\n');
    expect(source.head).toContain('Cache-Control: no-store\r\n');
    expect(source.head).toContain('X-Accel-Buffering: no\r\n');
    expect(source.retryMs).toBeGreaterThanOrEqual(1_000);
    const { body } = await api.call(`/api/v1/events/${id}`);
    const { status, startsAt, endsAt } = body;
    expect(source.events).toHaveLength(1);
    expect(source.events[0]).toMatchObject({
      event: 'snapshot',
      id: expect.stringMatching(/^[0-9a-f]+-\d+$/),
    });
    expect(source.events[0]!.data).toEqual({
      ...{ id, status, startsAt, endsAt },
      items: [
        { sku: skus[0], available: 499_997, price: 60 },
        { sku: skus[1], available: 500_000, price: 61 },
      ],
    });
  });

  test('tells what each order left, of the items that changed and no other', async () => {
    const { id, skus } = await live.openEvent(3);
    const source = await live.watchSurely(id);
    await api.order('mina', [
      { sku: skus[0]!, quantity: 2 },
      { sku: skus[2]!, quantity: 5 },
    ]);
    await until(() => source.events.length === 2);
    expect(source.events[1]).toMatchObject({ event: 'stock', id: expect.stringMatching(/./) });
    expect(source.events[1]!.data).toEqual({
      items: [
        { sku: skus[0], available: 499_998 },
        { sku: skus[2], available: 499_995 },
      ],
    });
    const { body } = await api.order('mina', [{ sku: skus[1]!, quantity: 1 }]);
    await until(() => source.available(skus[1]!) === 499_999);
    await api.call(`/api/v1/orders/${body.id}/cancel`, { method: 'POST', token: tokenFor('mina') });
    await until(() => source.available(skus[1]!) === 500_000);
  });

  test('has at most ten messages a second of an item, however many orders there are, and the last value of all', async () => {
    const { id, sku } = await live.openEvent();
    const source = await live.watchSurely(id);
    const began = performance.now();
    let orders = 0;
    while (performance.now() - began < 2_000) {
      await Promise.all(Array.from({ length: 8 }, () => live.order(sku)));
      orders += 8;
    }
    await until(() => source.available(sku) === 500_000 - orders);
    const told = source.events.slice(1).map(({ at }) => at);
    const seconds = (told.at(-1)! - told[0]!) / 1_000;
    expect(orders).toBeGreaterThan(50);
    expect(told.length).toBeGreaterThan(8); // it is told often, too
    expect(told.length).toBeLessThanOrEqual(10 * seconds + 1);
  });

  test('of an event that nobody can buy from says that nothing is there; then when it opens and closes', async () => {
    const { id, skus } = await live.createEvent(1, { startsAt: inHours(1), endsAt: inHours(2) });
    const source = await live.watchSurely(id);
    expect(source.events[0]!.data).toMatchObject({ status: 'scheduled', items: [{ available: 0 }] });
    await live.step(id, 'open');
    await until(() => source.available(skus[0]!) === 500_000);
    const opened = source.events.find(({ event }) => event === 'status')!;
    const { body } = await api.call(`/api/v1/events/${id}`);
    expect(opened.data).toEqual({ status: 'open', startsAt: body.startsAt, endsAt: body.endsAt });
    await live.step(id, 'close');
    await until(() => source.isEnded);
    expect(source.events.findLast(({ event }) => event === 'status')!.data.status).toBe('closed');
    expect(source.available(skus[0]!)).toBe(0);
  });

  test('of an event that is final tells it and ends; who comes back is told not to', async () => {
    const { id } = await live.createEvent();
    await live.step(id, 'cancel');
    const source = await live.watchSurely(id);
    await until(() => source.isEnded);
    expect(source.events[0]).toMatchObject({ event: 'snapshot', data: { status: 'cancelled' } });
    for (const mark of [source.lastId, 'anything']) {
      const again = await call(api.url + live.pathOf(id), { headers: { 'last-event-id': mark } });
      expect([again.status, again.body]).toEqual([204, null]);
    }
  });

  test('begins with what is there now also when somebody has watched just before', async () => {
    const { id, sku } = await live.openEvent();
    await live.watchSurely(id);
    await live.leave();
    await live.order(sku);
    expect((await live.watchSurely(id)).events[0]).toMatchObject({
      event: 'snapshot',
      data: { items: [{ sku, available: 499_999 }] },
    });
  });

  test('is refused to who asks for an event that does not exist', async () => {
    expectProblem(await api.call(live.pathOf('nothing')), 404, 'not_found');
    expectProblem(
      await api.call(live.pathOf('nothing'), { headers: { 'last-event-id': 'x' } }),
      404,
      'not_found',
    );
    expectProblem(
      await api.call(live.pathOf('nothing'), { method: 'POST', token: operator }),
      405,
      'method_not_allowed',
    );
  });

  test('is not begun for a HEAD', async () => {
    const { id } = await live.openEvent();
    const connection = await RawConnection.open(api.url);
    connection.send(head(`HEAD ${live.pathOf(id)}`, {}));
    expect(await connection.until(/\r\n\r\n/)).toMatch(
      /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n/,
    );
    connection.send(head('GET /healthz', {}));
    expect(await connection.until(/alive/)).not.toContain('retry');
    connection.close();
    expect(await live.figure('bootakhae_live_clients')).toBe(0);
  });
});

describe('Last-Event-ID', () => {
  test('of this process: only what changed since', async () => {
    const { id, skus } = await live.openEvent(3);
    const stays = await live.watchSurely(id);
    const first = await live.watchSurely(id);
    await live.order(skus[0]!);
    await until(() => first.available(skus[0]!) === 499_999);
    first.close();
    await live.order(skus[1]!, 2);
    await until(() => stays.available(skus[1]!) === 499_998);
    const again = await live.watch(id, { 'Last-Event-ID': first.lastId });
    await until(() => again.events.length > 0);
    expect(again.events[0]).toMatchObject({ event: 'stock', id: stays.lastId });
    expect(again.events[0]!.data).toEqual({ items: [{ sku: skus[1], available: 499_998 }] });
  });

  test('is good also when nobody watched meanwhile; where nothing changed nothing is told', async () => {
    const { id, sku } = await live.openEvent();
    const first = await live.watchSurely(id);
    first.close();
    await live.untilFigure('bootakhae_live_clients', 0);
    const second = await live.watch(id, { 'Last-Event-ID': first.lastId });
    await until(() => second.retryMs !== null);
    await live.order(sku);
    await until(() => second.events.length > 0);
    expect(second.events[0]!.event).toBe('stock');
    second.close();
    await live.untilFigure('bootakhae_live_clients', 0);
    await live.order(sku);
    const third = await live.watch(id, { 'Last-Event-ID': second.lastId });
    await until(() => third.events.length > 0);
    expect(third.events[0]).toMatchObject({ event: 'stock', data: { items: [{ sku, available: 499_998 }] } });
  });

  test('a status that changed meanwhile is told as well', async () => {
    const { id, skus } = await live.createEvent(1, { startsAt: inHours(1), endsAt: inHours(2) });
    const first = await live.watchSurely(id);
    first.close();
    await live.step(id, 'open');
    const again = await live.watch(id, { 'Last-Event-ID': first.lastId });
    await until(() => again.events.length === 2);
    expect(again.events.map(({ event }) => event)).toEqual(['status', 'stock']);
    expect(again.events.map(({ id: mark }) => mark !== null)).toEqual([false, true]);
    expect(again.available(skus[0]!)).toBe(500_000);
  });

  test('of another process, of another event, of the future, or none at all: a snapshot', async () => {
    const [{ id }, other] = [await live.openEvent(), await live.openEvent()];
    const source = await live.watchSurely(id);
    const elsewhere = await live.watchSurely(other.id);
    const [instance] = source.lastId.split('-');
    const marks = [
      elsewhere.lastId,
      `${instance}-999`,
      `${instance}-0`,
      `${instance}--1`,
      instance!,
      '0',
      '-',
      'x'.repeat(5_000),
    ];
    for (const mark of marks) {
      const again = await live.watch(id, { 'Last-Event-ID': mark });
      await until(() => again.events.length > 0);
      expect(again.events[0]!.event, mark).toBe('snapshot');
    }
  });
});
