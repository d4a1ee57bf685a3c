import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { drainTo } from '../../writer/recovery/drain-to.ts';
import { readOccurrences } from '../database/statements/read-occurrences.ts';
import type { OrderOutcome } from '../domain/order.ts';
import { levelField } from '../domain/pool.ts';
import type { Repeat } from '../domain/recurrence.ts';
import { Batcher } from '../redis/batcher.ts';
import { changeEvent } from '../redis/commands/change-event.ts';
import { placeOrders } from '../redis/commands/place-orders.ts';
import { putProducts } from '../redis/commands/put-products.ts';
import { readEvent, readEvents } from '../redis/event-reader.ts';
import { readIdempotencyRecord } from '../redis/idempotency-reader.ts';
import { readLastPosition } from '../redis/journal-stream.ts';
import { KEYS } from '../redis/keys.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type EventDraft, SaleEvents } from './sale-events.ts';

const redis = useRedis();
const database = useDatabase();
const MINUTE_MS = 60_000;
const START = Date.parse('2027-06-01T14:00:00Z');
const END = START + 60 * MINUTE_MS;
const STOCK = 100;
const DETAILS = { name: 'n', producer: null, type: null, function: null, description: null };
const EVERY_MINUTE: Repeat = { cron: '* * * * *', timezone: 'UTC', durationMinutes: 1 };
const BOUNDS = { itemsOfCall: 1, weightOfCall: 1_000, itemsWaiting: 100, waitMs: 60_000, lanes: 1 };
let now = 0;
let sku = '';
let products = 0;

const clock: Clock = { nowMs: () => now, monotonicMs: () => systemClock.monotonicMs() };
const laneOptions = () => ({ redis: redis.client, clock, deadlineMs: 5_000, epoch: () => 1 });

/** As a process of its own has them; `its` clock may be another than that of the script's calls. */
function saleEvents(its: Clock = clock): SaleEvents {
  const changes = new Batcher({ ...laneOptions(), command: changeEvent, bounds: BOUNDS });
  return new SaleEvents({
    clock: its,
    readEvents: () => readEvents(redis.client),
    readEvent: (id) => readEvent(redis.client, id),
    changeEvent: (request) => changes.submit(request),
    readRecord: (token) => readIdempotencyRecord(redis.client, token),
  });
}

async function schedule(over: Partial<EventDraft> = {}): Promise<string> {
  const items = [{ sku, stock: 40, price: 60, limitPerUser: null }];
  const draft = { name: 'a sale', startsAt: START, endsAt: END, holdSeconds: 0, repeat: null, items };
  const created = await saleEvents().create({ ...draft, ...over });
  expect(created.kind).toBe('done');
  return (created as Extract<typeof created, { kind: 'done' }>).event.id;
}

const repeating = (repeat: Repeat) =>
  schedule({ repeat, endsAt: START + repeat.durationMinutes * MINUTE_MS });

/** The units in `regular`, and in the event's pool: null where there is no pool. */
async function levels(id: string): Promise<(number | null)[]> {
  const found = await redis.client.hmget(KEYS.levels, sku, levelField({ sku, pool: id }));
  return found.map((level) => (level === null ? null : Number(level)));
}

async function order(quantity: number): Promise<OrderOutcome> {
  const orders = new Batcher({ ...laneOptions(), command: placeOrders, bounds: BOUNDS });
  return await orders.submit({ user: 'mina', lines: [{ sku, quantity }] });
}

async function history(id: string) {
  await drainTo({ redis: redis.client, database: database.database }, await readLastPosition(redis.client));
  const recorded = await readOccurrences(database.database, id, { limit: 1_000, before: null });
  return recorded.reverse();
}

beforeAll(async () => {
  await redis.client.set(KEYS.epoch, 1);
});

beforeEach(async () => {
  now = START - 60 * MINUTE_MS;
  products += 1;
  sku = `product ${products}`;
  const puts = new Batcher({ ...laneOptions(), command: putProducts, bounds: BOUNDS });
  await puts.submit({ sku, price: 100, stock: STOCK, details: DETAILS });
});

afterEach(async () => {
  const sides = { redis: redis.client, database: database.database, clock: systemClock };
  expect(await reconcile(sides)).toMatchObject({ consistent: true, drifts: [] });
});

describe('P1: an event is opened when its time has come, and never before', () => {
  test('whoever says so, however early, is told when to look again', async () => {
    const id = await schedule();
    for (now of [START - MINUTE_MS, START - 1])
      expect(await saleEvents().advance(id, 1)).toEqual({ kind: 'early', at: START });
    expect(await levels(id)).toEqual([STOCK, null]);
    now = START;
    expect(await saleEvents().advance(id, 1)).toMatchObject({ kind: 'done', action: 'open', shortfalls: [] });
    expect(await levels(id)).toEqual([60, 40]);
    expect(await saleEvents().advance(id, 1)).toEqual({ kind: 'early', at: END });
    now = END;
    expect(await saleEvents().advance(id, 1)).toMatchObject({ kind: 'done', action: 'close' });
    expect(await saleEvents().advance(id, 1)).toEqual({ kind: 'stale' });
    expect(await levels(id)).toEqual([STOCK, null]);
  });

  test('the clock of the call decides, not that of who decided to make it', async () => {
    const id = await schedule();
    now = START - 1;
    let looks = 0;
    const hasty: Clock = { ...clock, nowMs: () => (looks++ === 0 ? START : now) };
    expect(await saleEvents(hasty).advance(id, 1)).toEqual({ kind: 'early', at: START });
    expect(await levels(id)).toEqual([STOCK, null]);
  });

  test('nor is it opened by a call that was decided in time and comes when it is over', async () => {
    const id = await schedule();
    now = END;
    let looks = 0;
    const slow: Clock = { ...clock, nowMs: () => (looks++ === 0 ? END - 1 : now) };
    expect(await saleEvents(slow).advance(id, 1)).toMatchObject({
      action: 'record',
      event: { status: 'closed' },
    });
    expect((await history(id)).map(({ status }) => status)).toEqual(['missed']);
  });

  test('its stock is sold until just before its end, also when nobody closes it', async () => {
    const id = await schedule();
    now = START;
    await saleEvents().advance(id, 1);
    const eventOf = async () => {
      const outcome = await order(1);
      return outcome.kind === 'accepted' ? outcome.order.items[0]!.eventId : outcome.kind;
    };
    now = END - 1;
    expect(await eventOf()).toBe(id);
    now = END;
    expect(await eventOf()).toBeNull();
    expect(await levels(id)).toEqual([59, 39]);
  });
});

describe('P4: an occurrence is advanced once', () => {
  test('by two callers at once', async () => {
    const id = await schedule();
    for (const [at, rest] of [
      [START, { kind: 'early', at: END }],
      [END, { kind: 'stale' }],
    ] as const) {
      now = at;
      const both = await Promise.all([saleEvents().advance(id, 1), saleEvents().advance(id, 1)]);
      expect(both.filter(({ kind }) => kind === 'done')).toHaveLength(1);
      expect(both).toContainEqual(rest);
    }
    expect(await history(id)).toMatchObject([{ status: 'closed', items: [{ allotted: 40, returned: 40 }] }]);
  });

  test('by many of one process at once: one asks Redis for the change, the others see that it is made', async () => {
    const id = await schedule();
    now = START;
    const asked = vi.spyOn(Batcher.prototype, 'submit');
    const sales = saleEvents();
    const results = await Promise.all(Array.from({ length: 20 }, () => sales.advance(id, 1)));
    expect(results.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  test('what is said of one that is over does nothing to the next', async () => {
    const id = await repeating({ cron: '0 * * * *', timezone: 'UTC', durationMinutes: 30 });
    now = START;
    await saleEvents().advance(id, 1);
    now = START + 30 * MINUTE_MS;
    await saleEvents().advance(id, 1);
    now = START + 60 * MINUTE_MS; // the second is due, but it is the first that is spoken of
    for (const occurrence of [1, 3, 0])
      expect(await saleEvents().advance(id, occurrence)).toEqual({ kind: 'stale' });
    expect(await levels(id)).toEqual([STOCK, null]);
    expect(await saleEvents().advance(id, 2)).toMatchObject({ kind: 'done', action: 'open' });
    expect((await history(id)).map(({ number, status }) => [number, status])).toEqual([
      [1, 'closed'],
      [2, 'open'],
    ]);
  });

  test('an event that is not there, or is cancelled, is left alone', async () => {
    const id = await schedule();
    await saleEvents().step(id, 'cancel');
    now = START;
    expect(await saleEvents().advance(id, 1)).toEqual({ kind: 'stale' });
    expect(await saleEvents().advance('nothing', 1)).toEqual({ kind: 'missing' });
    expect((await history(id)).map(({ status }) => status)).toEqual(['cancelled']);
  });
});

describe('what was missed', () => {
  test('is written down window by window and never opened, and the one that is on opens', async () => {
    const id = await repeating(EVERY_MINUTE);
    now = START + 180 * MINUTE_MS;
    expect(await saleEvents().advance(id, 1)).toMatchObject({
      kind: 'done',
      action: 'record',
      event: { status: 'scheduled', occurrence: 181, startsAt: now },
    });
    expect(await saleEvents().advance(id, 181)).toMatchObject({ kind: 'done', action: 'open' });
    const recorded = await history(id);
    expect(recorded.map(({ number }) => number)).toEqual(Array.from({ length: 181 }, (_, at) => at + 1));
    expect(recorded.slice(0, 180).every(({ status, openedAt }) => status === 'missed' && !openedAt)).toBe(
      true,
    );
    expect(recorded.at(-1)).toMatchObject({ status: 'open', startsAt: new Date(now) });
  });

  test('is more than one change can tell: 600 windows take two', async () => {
    const id = await repeating(EVERY_MINUTE);
    now = START + 600 * MINUTE_MS;
    for (const [occurrence, next] of [
      [1, 501],
      [501, 601],
    ] as const)
      expect(await saleEvents().advance(id, occurrence)).toMatchObject({ event: { occurrence: next } });
    const recorded = await history(id);
    expect(recorded.map(({ status }) => status)).toEqual([...Array(600).fill('missed'), 'scheduled']);
    expect(recorded.at(-1)).toMatchObject({ number: 601, startsAt: new Date(now) });
  });

  test('ends a series that does not repeat: missed, and over', async () => {
    const id = await schedule();
    now = END;
    expect(await saleEvents().advance(id, 1)).toMatchObject({
      action: 'record',
      event: { status: 'closed' },
    });
    expect(await levels(id)).toEqual([STOCK, null]);
  });

  test('closing late gives the unsold back and goes on with the window that is on', async () => {
    const id = await repeating(EVERY_MINUTE);
    now = START;
    await saleEvents().advance(id, 1);
    now = START + 10 * MINUTE_MS + 1;
    expect(await saleEvents().advance(id, 1)).toMatchObject({
      action: 'close',
      event: { status: 'scheduled', occurrence: 11, startsAt: START + 10 * MINUTE_MS },
    });
    expect(await levels(id)).toEqual([STOCK, null]);
    const statuses = (await history(id)).map(({ status }) => status);
    expect(statuses).toEqual(['closed', ...Array(9).fill('missed'), 'scheduled']);
  });
});

test('no id of an event looks like an option of a command', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 400; count++) {
    const id = await schedule({ startsAt: START + count, endsAt: START + count + 1 });
    ids.push(id);
  }
  expect(ids.filter((id) => !/^\w[\w-]{11}$/.test(id))).toEqual([]);
});

describe('an event whose products another open one has', () => {
  test('waits, with nothing changed, until that is closed', async () => {
    const first = await schedule();
    now = START;
    await saleEvents().advance(first, 1);
    const second = await schedule({ startsAt: END, endsAt: END + MINUTE_MS });
    now = END; // the close of the first is late
    expect(await saleEvents().advance(second, 1)).toEqual({ kind: 'taken', skus: [sku] });
    await saleEvents().advance(first, 1);
    expect(await saleEvents().advance(second, 1)).toMatchObject({ kind: 'done', action: 'open' });
    expect(await levels(second)).toEqual([60, 40]);
  });

  test('tells what was short, and the history says it too', async () => {
    const id = await schedule({ items: [{ sku, stock: 150, price: 60, limitPerUser: null }] });
    now = START;
    expect(await saleEvents().advance(id, 1)).toMatchObject({
      shortfalls: [{ sku, stock: 150, moved: STOCK }],
    });
    const [recorded] = await history(id);
    expect(recorded).toMatchObject({ note: expect.stringContaining(sku), items: [{ allotted: STOCK }] });
  });
});
