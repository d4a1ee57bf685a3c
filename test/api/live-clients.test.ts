import { describe, expect, test } from 'vitest';
import { until, useLiveStock } from '../fixtures/live-stock.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const MOST_CLIENTS = 300;
const api = useApi({ LIVE_CLIENTS: String(MOST_CLIENTS) });
const live = useLiveStock(api);

describe('many clients', () => {
  test('get the same, of one reading of Redis for all; those past the bound are refused; all are forgotten', async () => {
    const { id, sku } = await live.openEvent();
    const clients = await live.watchers(200, id);
    await until(() => clients.every(({ events }) => events.length === 1));
    const readings = await countReadings(async () => {
      for (let time = 0; time < 10; time++) await live.order(sku, 7);
      await until(() => clients.every((client) => client.available(sku) === 499_930));
    });
    expect(readings.count).toBeLessThanOrEqual(10 * readings.seconds + 2);
    for (const client of clients) expect(client.lastId).toBe(clients[0]!.lastId);
    await live.watchers(MOST_CLIENTS - 200, id);
    expect(await live.figure('bootakhae_live_clients')).toBe(MOST_CLIENTS);
    const refused = await api.call(live.pathOf(id));
    expectProblem(refused, 503, 'not_accepting');
    expect(refused.headers['retry-after']).toBe('1');
    expect(await live.figure('bootakhae_live_refused_total')).toBe(1);
    clients[0]!.close();
    await live.untilFigure('bootakhae_live_clients', MOST_CLIENTS - 1);
    await live.watchSurely(id);
  });

  test('more of them than may be told ten times a second are told less often, all alike, and of the last value', async () => {
    const slow = await api.startAnother({ LIVE_WRITES_PER_SECOND: '200' });
    const { id, sku } = await live.openEvent();
    const clients = await live.watchers(100, id, slow.url);
    expect(await live.figure('bootakhae_live_interval_seconds', slow.url)).toBe(0.5);
    const before = await live.figure('bootakhae_live_messages_total', slow.url);
    const began = performance.now();
    let orders = 0;
    while (performance.now() - began < 3_000) {
      await live.order(sku);
      orders += 1;
    }
    const told = (await live.figure('bootakhae_live_messages_total', slow.url)) - before;
    const seconds = (performance.now() - began) / 1_000;
    expect(told / seconds).toBeLessThanOrEqual(210);
    expect(told / seconds).toBeGreaterThan(10); // a busy machine tells less
    await until(() => clients.every((client) => client.available(sku) === 500_000 - orders));
    const counts = clients.map(({ events }) => events.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    await slow.stop();
  });

  /** What this api asked of Redis for live stock, as Redis tells a monitor. */
  async function countReadings(work: () => Promise<void>): Promise<{ count: number; seconds: number }> {
    const monitor = await api.redis.monitor();
    let count = 0;
    monitor.on('monitor', (_time: string, [command, key = '']: string[]) => {
      if (command?.toLowerCase() === 'hmget' && key.endsWith(':events')) count += 1;
    });
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1_000;
    monitor.disconnect();
    expect(count).toBeGreaterThan(0);
    return { count, seconds };
  }
});

describe('a client that does not read', () => {
  test('is dropped; the others go on, and the process does not grow', { timeout: 90_000 }, async () => {
    const other = await api.startAnother();
    const { id, skus } = await live.openEvent(1_000);
    const reader = await live.watchSurely(id, other.url);
    const before = await live.figure('process_resident_memory_bytes', other.url);
    const sleepers = await Promise.all(Array.from({ length: 20 }, () => sleep(other.url + live.pathOf(id))));
    await live.untilFigure('bootakhae_live_clients', 21, other.url);
    let orders = 0;
    // Each order changes all items, so that a message has 50 kB.
    await until(async () => {
      const answer = await api.order(
        'mina',
        skus.map((sku) => ({ sku, quantity: 1 })),
      );
      expect(answer.status).toBe(201);
      orders += 1;
      return (await live.figure('bootakhae_live_dropped_total', other.url)) === sleepers.length;
    }, 80_000);
    expect(await live.figure('bootakhae_live_clients', other.url)).toBe(1);
    await until(() => reader.available(skus[999]!) === 500_000 - orders);
    expect(reader.isClosed).toBe(false);
    const grown = (await live.figure('process_resident_memory_bytes', other.url)) - before;
    expect(grown).toBeLessThan(100_000_000);
    for (const sleeper of sleepers) sleeper.close();
    await other.stop();
  });

  async function sleep(url: string): Promise<RawConnection> {
    const connection = await RawConnection.open(url);
    connection.socket.pause();
    connection.send(head(`GET ${new URL(url).pathname}`, {}));
    return connection;
  }
});

describe('the process', () => {
  test('that is told to stop ends all streams at once and exits in order', async () => {
    const victim: StartedProcess & { url: string } = await api.startAnother();
    const { id } = await live.openEvent();
    const clients = await live.watchers(50, id, victim.url);
    const began = performance.now();
    expect(await victim.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(3_000);
    await until(() => clients.every(({ isClosed }) => isClosed));
    expect(clients.filter(({ isEnded }) => !isEnded)).toEqual([]);
  });

  test('that has lost Redis tells nothing until it is sure again, and then everything on the same stream', {
    timeout: 60_000,
  }, async () => {
    const { id, sku } = await live.openEvent();
    const source = await live.watchSurely(id);
    await live.order(sku);
    await until(() => source.available(sku) === 499_999);
    const told = source.events.length;
    await api.crashRedis();
    await until(async () => (await api.call('/readyz')).status === 200, 30_000);
    await until(() => source.events.length > told);
    expect(source.events.slice(told)).toMatchObject([
      { event: 'snapshot', data: { status: 'open', items: [{ sku, available: 499_999 }] } },
    ]);
    await live.order(sku);
    await until(() => source.available(sku) === 499_998);
    expect(source.isClosed).toBe(false);
  });

  test('to which Redis does not answer keeps its clients with heartbeats, and refuses new ones', {
    timeout: 60_000,
  }, async () => {
    const { id, sku } = await live.openEvent();
    const source = await live.watchSurely(id);
    api.suspendRedis();
    try {
      await until(async () => (await api.call('/readyz')).status === 503);
      expectProblem(await api.call(live.pathOf(id)), 503, 'not_accepting');
      await until(() => source.comments > 0, 20_000);
      expect(source.events).toHaveLength(1);
    } finally {
      api.resumeRedis();
    }
    await until(async () => (await api.call('/readyz')).status === 200, 30_000);
    await until(() => source.events.length === 2);
    expect(source.events[1]).toMatchObject({ event: 'snapshot', data: { items: [{ available: 500_000 }] } });
    await live.order(sku);
    await until(() => source.available(sku) === 499_999);
  });
});
