import { beforeEach, describe, expect, test } from 'vitest';
import { InternalFault } from '../../engine/domain/fault.ts';
import type { OrderStatus } from '../../engine/domain/order.ts';
import { parsePlace } from '../../engine/domain/order-id.ts';
import { ORIGIN, type Position } from '../../engine/domain/position.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import { expireHolds } from '../../engine/redis/commands/expire-holds.ts';
import { placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { type SettlementAction, settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { trimJournal } from '../../engine/redis/commands/trim-journal.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { useRedis } from '../fixtures/servers.ts';

/** The scripts that end an order's life, at their own clock: every step, every repetition, at every instant. */
const redis = useRedis();
const HOLD_MS = 1_000;
const ORDER = { epoch: 1, sequence: 1, index: 0 };
const LINES = [
  { sku: 'a', quantity: 2, eventId: null },
  { sku: 'b', quantity: 3, eventId: null },
];
const details = { name: 'n', producer: null, type: null, function: null, description: null };
let now: number;

const clock = { nowMs: () => now, monotonicMs: () => performance.now() };
const laneOptions = () => ({ redis: redis.client, clock, deadlineMs: 5_000, epoch: () => 1 });

function open<Item, Outcome>(command: BatchCommand<Item, Outcome>) {
  const bounds = { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 10_000, waitMs: 5_000, lanes: 1 };
  return new Batcher<Item, Outcome>({ ...laneOptions(), command, bounds });
}

beforeEach(async () => {
  now = 1_000_000;
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  const products = open(putProducts);
  await Promise.all(['a', 'b'].map((sku) => products.submit({ sku, price: 5, stock: 10, details })));
});

const placeOrder = (holdMs = HOLD_MS) =>
  open(placeOrdersWithHold(holdMs)).submit({ user: 'u', lines: LINES });
const lookAtHolds = () => expireHolds({ lane: new Lane(laneOptions()), epoch: () => 1, nowMs: clock.nowMs });
const expire = async () => (await lookAtHolds()).ended;

/** Settles the order; `status` and `asOf` are what a caller read of it elsewhere. */
function settle(action: SettlementAction, status: OrderStatus = 'held', asOf: Position = ORDER) {
  return open(settleOrders).submit({ place: ORDER, action, status, lines: LINES, asOf, user: 'u' });
}

async function levels() {
  const [a, b] = await redis.client.hmget(KEYS.levels, 'a', 'b');
  return { a: Number(a), b: Number(b) };
}

async function readSettlements() {
  const entries = await readEntriesAfter(redis.client, ORIGIN, { count: 100 });
  return entries.flatMap((entry) => (entry.kind === 'settlements' ? entry.settlements : []));
}

/** As the writer does once MariaDB has everything. */
async function commitAll(): Promise<Position> {
  const [, last] = (await redis.client.xinfo('STREAM', KEYS.journal)) as unknown[];
  expect(last).toBeDefined();
  const committed = { epoch: 1, sequence: Number(await redis.client.xlen(KEYS.journal)) + 100 };
  const place = `${ORDER.epoch}-${ORDER.sequence}-${ORDER.index}`;
  await trimJournal(redis.client, { committed, settled: [{ position: ORDER, place }], nowMs: now });
  return committed;
}

const TAKEN = { a: 8, b: 7 };
const FULL = { a: 10, b: 10 };

describe('P1: units go back exactly when an order ends without being placed', () => {
  test.each([
    ['confirm', 'placed', TAKEN],
    ['cancel', 'cancelled', FULL],
  ] as const)('%s of a held order', async (action, status, after) => {
    await placeOrder();
    expect(await levels()).toEqual(TAKEN);
    expect(await settle(action)).toEqual({ kind: 'done', status });
    expect(await settle(action)).toEqual({ kind: 'already', status });
    expect(await levels()).toEqual(after);
    expect(await redis.client.exists(KEYS.held, KEYS.holds)).toBe(0);
  });

  test('cancel of an order that was placed at once', async () => {
    await placeOrder(0);
    expect(await settle('cancel', 'placed')).toEqual({ kind: 'done', status: 'cancelled' });
    expect(await levels()).toEqual(FULL);
  });

  test('why an order was cancelled is in the journal, and no reason for anything else is', async () => {
    await placeOrder();
    const submit = (action: SettlementAction, reason?: string) =>
      open(settleOrders).submit({
        ...{ place: ORDER, action, status: 'held', lines: LINES, asOf: ORDER, user: 'u', reason },
      });
    await submit('confirm', 'paid');
    await submit('cancel', '깨졌다 🍵');
    await submit('cancel', 'once more');
    const entries = await readSettlements();
    expect(entries.map(({ status, reason }) => ({ status, reason }))).toEqual([
      { status: 'placed', reason: null },
      { status: 'cancelled', reason: '깨졌다 🍵' },
    ]);
  });

  test('a hold ends at its deadline, not before', async () => {
    await placeOrder();
    now += HOLD_MS - 1;
    expect(await expire()).toBe(0);
    now += 1;
    expect(await expire()).toBe(1);
    expect(await expire()).toBe(0);
    expect(await levels()).toEqual(FULL);
    expect(await settle('confirm')).toEqual({ kind: 'impossible', status: 'expired' });
  });

  test('a confirmation that comes too late expires the order itself', async () => {
    await placeOrder();
    now += HOLD_MS;
    expect(await settle('confirm')).toEqual({ kind: 'impossible', status: 'expired' });
    expect(await levels()).toEqual(FULL);
    expect(await expire()).toBe(0);
  });

  test('confirmed and cancelled in one call', async () => {
    await placeOrder();
    const settlements = open(settleOrders);
    const request = { place: ORDER, status: 'held', lines: LINES, asOf: ORDER, user: 'u' } as const;
    const outcomes = (['confirm', 'cancel', 'cancel', 'confirm'] as const).map((action) =>
      settlements.submit({ ...request, action }),
    );
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual([
      'done',
      'done',
      'already',
      'impossible',
    ]);
    expect(await levels()).toEqual(FULL);
  });

  test('many holds at once, in bounded calls', async () => {
    const orders = open(placeOrdersWithHold(HOLD_MS));
    await redis.client.hset(KEYS.levels, 'a', 1_000);
    await Promise.all(
      Array.from({ length: 600 }, () => orders.submit({ user: 'u', lines: [{ sku: 'a', quantity: 1 }] })),
    );
    now += HOLD_MS;
    expect(await expire()).toBe(600);
    expect(await levels()).toEqual({ a: 1_000, b: 10 });
  });
});

describe('P4: an order that MariaDB has settled and Redis has forgotten', () => {
  test('is not settled again by a caller who read it before that', async () => {
    await placeOrder();
    await settle('cancel');
    const committed = await commitAll();
    expect(await settle('cancel', 'placed', ORDER)).toMatchObject({ kind: 'again' });
    expect(await settle('cancel', 'cancelled', committed)).toEqual({ kind: 'already', status: 'cancelled' });
    expect(await levels()).toEqual(FULL);
  });

  test('keeps its mark as long as its entry is not committed', async () => {
    await placeOrder();
    await settle('confirm');
    await trimJournal(redis.client, { committed: ORDER, settled: [], nowMs: now });
    expect(await settle('confirm', 'held', ORDER)).toEqual({ kind: 'already', status: 'placed' });
  });
});

test('P4: a mark that was overwritten since does not go with the entry of the one before', async () => {
  await placeOrder(0);
  await placeOrder(); // 1-2
  const second = { epoch: 1, sequence: 2, index: 0 };
  const request = { place: second, status: 'held', lines: LINES, asOf: second, user: 'u' } as const;
  await open(settleOrders).submit({ ...request, action: 'confirm' }); // 1-3
  await open(settleOrders).submit({ ...request, action: 'cancel' }); // 1-4
  const committed = { epoch: 1, sequence: 3 };
  await trimJournal(redis.client, {
    committed,
    settled: [{ position: committed, place: '1-2-0' }],
    nowMs: now,
  });
  const late = await open(settleOrders).submit({
    ...request,
    status: 'placed',
    asOf: committed,
    action: 'cancel',
  });
  expect(late).toEqual({ kind: 'already', status: 'cancelled' });
  expect(await levels()).toEqual(TAKEN);
});

describe('P4: an idempotency key of a settlement', () => {
  const token = 'k'.repeat(22) + 'c'.repeat(11);
  const other = 'k'.repeat(22) + 'd'.repeat(11);
  const request = { place: ORDER, status: 'held', lines: LINES, asOf: ORDER, user: 'u' } as const;
  const ask = (action: SettlementAction, used: string) =>
    open(settleOrders).submit({ ...request, action, token: used });

  test('leads to the first success, whatever became of the order since', async () => {
    await placeOrder();
    expect(await ask('confirm', token)).toEqual({ kind: 'done', status: 'placed' });
    expect(await settle('cancel')).toEqual({ kind: 'done', status: 'cancelled' });
    expect(await ask('confirm', token)).toEqual({ kind: 'replayed', status: 'placed' });
    expect(await ask('cancel', other)).toEqual({ kind: 'idempotency_mismatch', status: 'held' });
    expect(await levels()).toEqual(FULL);
  });

  test('is kept for a success that had nothing to do, in an entry of its own', async () => {
    await placeOrder();
    await settle('confirm');
    expect(await ask('confirm', token)).toEqual({ kind: 'already', status: 'placed' });
    await settle('cancel');
    expect(await ask('confirm', token)).toEqual({ kind: 'replayed', status: 'placed' });
    expect(await levels()).toEqual(FULL);
  });

  test('is not kept for a refusal', async () => {
    await placeOrder();
    now += HOLD_MS;
    expect(await ask('confirm', token)).toEqual({ kind: 'impossible', status: 'expired' });
    const records = await Promise.all(IDEMPOTENCY_KEYS.slice(1).map((slot) => redis.client.hlen(slot)));
    expect(records).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('that is used twice in one call leads to one settlement', async () => {
    await placeOrder();
    const settlements = open(settleOrders);
    const outcomes = [token, token, other].map((used) =>
      settlements.submit({ ...request, action: 'cancel', token: used }),
    );
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual([
      'done',
      'replayed',
      'idempotency_mismatch',
    ]);
    expect(await levels()).toEqual(FULL);
  });
});

/** Each spoils what Redis has of one order, `1-1-0`, whose lines are of a and b. */
const SPOILT = [
  ['a level that is missing', () => redis.client.hdel(KEYS.levels, 'b')],
  ['a level that is no number', () => redis.client.hset(KEYS.levels, 'b', 'many')],
  ['a level that is negative', () => redis.client.hset(KEYS.levels, 'b', '-1')],
  ['a level of NaN', () => redis.client.hset(KEYS.levels, 'b', 'nan')],
  ['a level that would pass 2^53 - 1', () => redis.client.hset(KEYS.levels, 'b', '9007199254740991')],
  ['a record that is missing', () => redis.client.hdel(KEYS.held, '1-1-0')],
  ['a record that is no MessagePack', () => redis.client.hset(KEYS.held, '1-1-0', Buffer.from([0xc1]))],
  ['a record that is a number', () => redis.client.hset(KEYS.held, '1-1-0', packMessage(7))],
  ['a record of nothing', () => redis.client.hset(KEYS.held, '1-1-0', packMessage([]))],
  ['a record with a negative quantity', () => hold(['a', 2, 'b', -3])],
  ['a record with a quantity of NaN', () => hold(['a', 2, 'b', Number.NaN])],
  ['a record with a quantity that is a text', () => hold(['a', 2, 'b', '3'])],
  ['a record that is cut off', () => hold(['a', 2, 'b'])],
] as const;
const hold = (units: unknown[]) => redis.client.hset(KEYS.held, '1-1-0', packMessage(['', units]));

/** An order of a alone, which nothing ails, beside the one that is spoilt: 1-2-0. */
async function placeNeighbour(): Promise<void> {
  await open(placeOrdersWithHold(HOLD_MS)).submit({ user: 'u', lines: [{ sku: 'a', quantity: 1 }] });
}

const everything = async () => ({
  levels: await redis.client.hgetall(KEYS.levels),
  held: await redis.client.hgetallBuffer(KEYS.held),
  holds: await redis.client.zrange(KEYS.holds, 0, -1),
});

describe('P2: an order that is spoilt in Redis is set aside alone', () => {
  test.each(SPOILT)('%s: its hold stays, the one behind it ends', async (_, spoil) => {
    await placeOrder();
    await placeNeighbour();
    await spoil();
    const before = await everything();
    now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: ['1-1-0'] });
    const { levels: after, holds } = await everything();
    expect(after).toEqual({ ...before.levels, a: '8' });
    expect(holds).toEqual(['1-1-0']);
    expect(await redis.client.hkeys(KEYS.settled)).toEqual(['1-2-0']);
  });

  // Without its record an order is not held here: then what the caller read of it counts.
  test.each(SPOILT.filter(([what]) => what !== 'a record that is missing'))(
    '%s: it is not cancelled, its neighbours in the call are',
    async (_, spoil) => {
      await placeOrder();
      await placeNeighbour();
      await spoil();
      const settlements = open(settleOrders);
      const neighbour = { epoch: 1, sequence: 2, index: 0 };
      const [spoilt, sound] = await Promise.allSettled([
        settlements.submit({
          place: ORDER,
          action: 'cancel',
          status: 'held',
          lines: LINES,
          asOf: ORDER,
          user: 'u',
        }),
        settlements.submit({
          place: neighbour,
          action: 'cancel',
          status: 'held',
          lines: [{ sku: 'a', quantity: 1, eventId: null }],
          asOf: neighbour,
          user: 'u',
        }),
      ]);
      expect(spoilt).toMatchObject({ status: 'rejected', reason: expect.any(InternalFault) });
      expect(sound).toMatchObject({ value: { kind: 'done', status: 'cancelled' } });
      expect(await redis.client.hget(KEYS.levels, 'a')).toBe('8');
      expect(await redis.client.zrange(KEYS.holds, 0, -1)).toEqual(['1-1-0']);
      expect(await redis.client.hkeys(KEYS.settled)).toEqual(['1-2-0']);
    },
  );

  test('a mark that is no status of an order', async () => {
    await placeOrder(0);
    await redis.client.hset(KEYS.settled, '1-1-0', 'gone');
    await expect(settle('cancel', 'placed')).rejects.toThrow(InternalFault);
    expect(await levels()).toEqual(TAKEN);
  });

  test('a level that is lost does not stand in the way of a confirmation, which gives nothing back', async () => {
    await placeOrder();
    await redis.client.hdel(KEYS.levels, 'b');
    expect(await settle('confirm')).toEqual({ kind: 'done', status: 'placed' });
  });

  test('a hold is ended as soon as its level is mended', async () => {
    await placeOrder();
    await redis.client.hdel(KEYS.levels, 'b');
    now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 0, setAside: ['1-1-0'] });
    await redis.client.hset(KEYS.levels, 'b', 7);
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: [] });
    expect(await levels()).toEqual(FULL);
  });

  test('1,000 spoilt holds, more than a call looks at, do not hold up those behind them', async () => {
    const orders = open(placeOrdersWithHold(HOLD_MS));
    await redis.client.hset(KEYS.levels, 'a', 5_000, 'b', 5_000);
    const place = (sku: string) => orders.submit({ user: 'u', lines: [{ sku, quantity: 1 }] });
    await Promise.all(Array.from({ length: 1_000 }, () => place('b')));
    now += 1;
    await Promise.all(Array.from({ length: 300 }, () => place('a')));
    await redis.client.hdel(KEYS.levels, 'b');
    now += HOLD_MS;
    const { ended, setAside } = await lookAtHolds();
    expect({ ended, setAside: new Set(setAside).size }).toEqual({ ended: 300, setAside: 1_000 });
    expect(await redis.client.hget(KEYS.levels, 'a')).toBe('5000');
    expect(await redis.client.zcard(KEYS.holds)).toBe(1_000);
  });

  test('a hold of more lines than a call can give back is set aside, and does not go round and round', async () => {
    await placeOrder();
    await placeNeighbour();
    await hold(Array.from({ length: 3_901 }, () => ['a', 1]).flat());
    now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: ['1-1-0'] });
  });

  test('a hold of what is no order is set aside', async () => {
    await placeOrder();
    await redis.client.zadd(KEYS.holds, 1, 'x');
    await redis.client.hset(KEYS.held, 'x', packMessage(['', ['a', 1]]));
    now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: ['x'] });
  });
});

test('P2: orders with more lines than a call can give back are settled in no part, whatever the caller says of them', async () => {
  const lines = Array.from({ length: 4_400 }, (_, at) => ({ sku: `s${at}`, quantity: 1 }));
  const products = open(putProducts);
  await Promise.all(lines.map(({ sku }) => products.submit({ sku, price: 5, stock: 10, details })));
  const orders = open(placeOrdersWithHold(HOLD_MS));
  const parts = [0, 1, 2, 3, 4].map((part) => lines.slice(part * 880, part * 880 + 880));
  for (const part of parts) await orders.submit({ user: 'u', lines: part });
  const places = await redis.client.hkeys(KEYS.held);
  const before = await redis.client.hgetall(KEYS.levels);
  const entries = await redis.client.xlen(KEYS.journal);
  const settlements = open(settleOrders);
  const outcomes = places.map((text) =>
    settlements.submit({
      place: parsePlace(text),
      action: 'cancel',
      status: 'held',
      lines: [],
      asOf: ORDER,
      user: 'u',
    }),
  );
  const results = await Promise.allSettled(outcomes);
  expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
  expect(await redis.client.hgetall(KEYS.levels)).toEqual(before);
  expect(await redis.client.hlen(KEYS.held)).toBe(5);
  expect(await redis.client.xlen(KEYS.journal), 'no entry may stand for what was not done').toBe(entries);
});
