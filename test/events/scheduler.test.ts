import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StartedProcess } from '../fixtures/processes.ts';
import { useRabbitMQ } from '../fixtures/rabbitmq.ts';
import { useApi } from '../fixtures/running-api.ts';
import {
  type CreatedEvent,
  createEvent,
  EVENT_STOCK,
  type KeptOccurrence,
  untilLeading,
  untilOccurrence,
  untilReady,
} from '../fixtures/sale-events.ts';

/** Sale events open and close by themselves, in time, whatever happens to the schedulers. */

const api = useApi();
const rabbitmq = useRabbitMQ();
const STOCK = 100;
/** With everything healthy: after the start, never before. */
const ACCURACY_MS = 250;
/** Nobody waits for the end: from then on no order gets the event's units, closed or not. */
const CLOSING_MS = 1_000;
const schedulers: StartedProcess[] = [];
let sku: string;
let products = 0;

beforeAll(() => {
  api.start(['writer']);
});

beforeEach(async () => {
  products += 1;
  sku = `product ${products}`;
  await api.put(sku, { stock: STOCK });
});

afterEach(async () => {
  for (const scheduler of schedulers.splice(0)) {
    if (scheduler.child.exitCode !== null || scheduler.child.signalCode !== null) continue;
    scheduler.child.kill('SIGCONT');
    expect(await scheduler.stop(), 'exit code of the scheduler').toBe(0);
  }
});

function start(environment: NodeJS.ProcessEnv = {}): StartedProcess {
  const scheduler = api.start(['scheduler'], { AMQP_URL: rabbitmq.url, ...environment });
  schedulers.push(scheduler);
  return scheduler;
}

async function startReady(environment: NodeJS.ProcessEnv = {}): Promise<StartedProcess> {
  const scheduler = start(environment);
  await untilReady(scheduler);
  return scheduler;
}

const product = async () => (await api.call(`/api/v1/products/${encodeURIComponent(sku)}`)).body;

function expectInTime({ startsAt, endsAt }: CreatedEvent, { openedAt, closedAt }: KeptOccurrence): void {
  expect(openedAt).toBeGreaterThanOrEqual(startsAt);
  expect(openedAt).toBeLessThanOrEqual(startsAt + ACCURACY_MS);
  expect(closedAt).toBeGreaterThanOrEqual(endsAt);
  expect(closedAt).toBeLessThanOrEqual(endsAt + CLOSING_MS);
}

describe('with everything healthy', () => {
  test('an event opens within 250 ms after its start and never before, and closes at its end: to who orders', async () => {
    await startReady();
    const event = await createEvent(api, { sku, startsInMs: 2_000, endsInMs: 4_000 });
    const orders: { placedAt: number; eventId: string | null }[] = [];
    while (Date.now() < event.endsAt + ACCURACY_MS) {
      const { status, body } = await api.order('mina', [{ sku, quantity: 1 }]);
      if (status === 201)
        orders.push({ placedAt: Date.parse(body.placedAt), eventId: body.items[0].eventId });
      else expect(body.code).toBe('out_of_stock');
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const { startsAt, endsAt, id } = event;
    for (const { placedAt, eventId } of orders) {
      if (placedAt < startsAt || placedAt >= endsAt) expect(eventId).toBeNull();
      else if (placedAt >= startsAt + ACCURACY_MS) expect(eventId).toBe(id);
    }
    expect(orders.filter(({ eventId }) => eventId === id).length).toBeGreaterThan(10);
    expectInTime(event, await untilOccurrence(api, event, 'closed'));
    expect((await product()).event).toBeNull();
    expect(await api.stockOf(sku)).toBe(STOCK - orders.length);
  });

  test('one that is created half a second before its start is in time', async () => {
    await startReady();
    const event = await createEvent(api, { sku, startsInMs: 500, endsInMs: 1_500 });
    expectInTime(event, await untilOccurrence(api, event, 'closed'));
    expect(await api.stockOf(sku)).toBe(STOCK);
  });

  test('a dozen at once are in time, over two schedulers', async () => {
    await Promise.all([startReady(), startReady()]);
    const skus = Array.from({ length: 12 }, (_, at) => `${sku} of ${at}`);
    for (const one of skus) await api.put(one, { stock: STOCK });
    const startsAt = Date.now() + 3_000;
    const events = await Promise.all(
      skus.map((one) => {
        const startsInMs = startsAt - Date.now();
        return createEvent(api, { sku: one, startsInMs, endsInMs: startsInMs + 2_000 });
      }),
    );
    const kept = await Promise.all(events.map((event) => untilOccurrence(api, event, 'closed')));
    for (const [at, event] of events.entries()) expectInTime(event, kept[at]!);
  });
});

describe('of two schedulers', () => {
  test('the one that announces is killed: the other takes over, and an event opens in time', async () => {
    const one = await startReady();
    const other = await startReady();
    await untilLeading(one);
    await one.stop('SIGKILL');
    await untilLeading(other);
    const event = await createEvent(api, { sku, startsInMs: 1_000, endsInMs: 2_000 });
    expectInTime(event, await untilOccurrence(api, event, 'closed'));
  });

  test('the one that announces sleeps through an event: the other does it, once', async () => {
    const one = await startReady();
    const other = await startReady();
    await untilLeading(one);
    one.child.kill('SIGSTOP');
    await untilLeading(other);
    const event = await createEvent(api, { sku, startsInMs: 1_000, endsInMs: 2_500 });
    await untilOccurrence(api, event, 'open');
    one.child.kill('SIGCONT');
    await one.waitForLog(({ msg }) => msg === 'another scheduler announces: standing by');
    await untilOccurrence(api, event, 'closed');
    expect(await movementsOf(event)).toEqual([
      { kind: 'opening', pool: event.id, delta: EVENT_STOCK },
      { kind: 'opening', pool: 'regular', delta: -EVENT_STOCK },
      { kind: 'closing', pool: event.id, delta: -EVENT_STOCK },
      { kind: 'closing', pool: 'regular', delta: EVENT_STOCK },
    ]);
  });
});

describe('a scheduler that starts', () => {
  test('just before an event opens it, and not too soon', async () => {
    const event = await createEvent(api, { sku, startsInMs: 1_500, endsInMs: 5_000 });
    start();
    const { openedAt } = await untilOccurrence(api, event, 'open');
    expect(openedAt).toBeGreaterThanOrEqual(event.startsAt);
    await untilOccurrence(api, event, 'closed');
  });

  test('within the window of an event opens it late', async () => {
    const event = await createEvent(api, { sku, startsInMs: -1_000, endsInMs: 8_000 });
    await startReady();
    expect((await untilOccurrence(api, event, 'open')).openedAt).toBeLessThan(event.endsAt);
    await untilOccurrence(api, event, 'closed');
  });

  test('after the window of an event records it as missed, and moves nothing', async () => {
    const event = await createEvent(api, { sku, startsInMs: 100, endsInMs: 200 });
    await startReady();
    const kept = await untilOccurrence(api, event, 'missed');
    expect(kept.openedAt).toBeNull();
    expect(await movementsOf(event)).toEqual([]);
    expect((await api.call(`/api/v1/events/${event.id}`)).body.status).toBe('closed');
  });
});

/** What moved for the event, in order. */
async function movementsOf({ sku: product }: CreatedEvent): Promise<object[]> {
  return await api.database.query
    .selectFrom('stock_movements')
    .select(['kind', 'pool', 'delta'])
    .where('sku', '=', product)
    .where('kind', 'in', ['opening', 'closing'])
    .orderBy('moved_at')
    .orderBy('line')
    .execute();
}
