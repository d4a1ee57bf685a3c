import { describe, expect, test } from 'vitest';
import { placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { type SettlementAction, settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { trimJournal } from '../../engine/redis/commands/trim-journal.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { FULL, HOLD_MS, LINES, ORDER, TAKEN, useOneOrder } from './one-order.ts';

/** The scripts that end an order's life, at their own clock: every step, every repetition, at every instant. */
const { redis, clock, open, placeOrder, expire, settle, levels, readSettlements, commitAll } = useOneOrder();

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
    clock.now += HOLD_MS - 1;
    expect(await expire()).toBe(0);
    clock.now += 1;
    expect(await expire()).toBe(1);
    expect(await expire()).toBe(0);
    expect(await levels()).toEqual(FULL);
    expect(await settle('confirm')).toEqual({ kind: 'impossible', status: 'expired' });
  });

  test('a confirmation that comes too late expires the order itself', async () => {
    await placeOrder();
    clock.now += HOLD_MS;
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
    clock.now += HOLD_MS;
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
    await trimJournal(redis.client, { committed: ORDER, settled: [], nowMs: clock.now });
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
    nowMs: clock.now,
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
    clock.now += HOLD_MS;
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
