import { describe, expect, test } from 'vitest';
import { InternalFault } from '../../engine/domain/fault.ts';
import { parsePlace } from '../../engine/domain/order-id.ts';
import { placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { FULL, HOLD_MS, LINES, ORDER, TAKEN, useOneOrder } from './one-order.ts';

/** The same scripts where what Redis has of an order is damaged, or is more than a call can give back. */
const { redis, clock, open, putAll, placeOrder, lookAtHolds, settle, levels } = useOneOrder();

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
    clock.now += HOLD_MS;
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
    clock.now += HOLD_MS;
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
    clock.now += 1;
    await Promise.all(Array.from({ length: 300 }, () => place('a')));
    await redis.client.hdel(KEYS.levels, 'b');
    clock.now += HOLD_MS;
    const { ended, setAside } = await lookAtHolds();
    expect({ ended, setAside: new Set(setAside).size }).toEqual({ ended: 300, setAside: 1_000 });
    expect(await redis.client.hget(KEYS.levels, 'a')).toBe('5000');
    expect(await redis.client.zcard(KEYS.holds)).toBe(1_000);
  });

  test('a hold of more lines than a call can give back is set aside, and does not go round and round', async () => {
    await placeOrder();
    await placeNeighbour();
    await hold(Array.from({ length: 3_901 }, () => ['a', 1]).flat());
    clock.now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: ['1-1-0'] });
  });

  test('a hold of what is no order is set aside', async () => {
    await placeOrder();
    await redis.client.zadd(KEYS.holds, 1, 'x');
    await redis.client.hset(KEYS.held, 'x', packMessage(['', ['a', 1]]));
    clock.now += HOLD_MS;
    expect(await lookAtHolds()).toEqual({ ended: 1, setAside: ['x'] });
  });
});

test('P2: orders with more lines than a call can give back are settled in no part, whatever the caller says of them', async () => {
  const lines = Array.from({ length: 4_400 }, (_, at) => ({ sku: `s${at}`, quantity: 1 }));
  await putAll(lines.map(({ sku }) => sku));
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
