import { describe, expect, test } from 'vitest';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import { LiveClients } from './live-clients.ts';
import { LiveEvent } from './live-event.ts';
import { Pace } from './pace.ts';

const EVENT: SaleEvent = {
  ...{ id: 'e', name: 'a sale', startsAt: 0, endsAt: 1, status: 'open', holdSeconds: 0 },
  ...{ repeat: null, occurrence: 1, items: [{ sku: 'tea', stock: 9, price: 5, limitPerUser: null }] },
};

/** Clients of an event, all told of it at 0, and what each was told since. */
function watch(count: number) {
  const event = new LiveEvent('e');
  event.update({ event: EVENT, available: [9] });
  const clients = new LiveClients(event);
  const told: string[][] = Array.from({ length: count }, () => []);
  const remove = told.map((messages) =>
    clients.add({ write: (bytes) => messages.push(bytes.toString()), end: () => messages.push('end') }, 0),
  );
  const sell = (available: number) => event.update({ event: EVENT, available: [available] });
  const tell = (now: number, most = 1_000, isSure = true) => clients.tell({ now, most, isSure });
  const counts = () => told.map(({ length }) => length);
  return { event, clients, told, remove, sell, tell, counts };
}

describe('clients', () => {
  test('are told nothing sooner than 100 ms after the last time, and the last value then', () => {
    const { sell, tell, told, counts } = watch(2);
    sell(8);
    tell(99);
    expect(counts()).toEqual([0, 0]);
    sell(7);
    expect(tell(100)).toEqual({ messages: 2, heartbeats: 0 });
    expect(told[0]).toEqual([expect.stringContaining('{"items":[{"sku":"tea","available":7}]}')]);
    sell(6);
    expect(tell(199).messages).toBe(0);
    expect(tell(200).messages).toBe(2);
    expect(tell(10_000).messages).toBe(0);
  });

  test('take turns: with fewer writes than clients nobody is told twice before everybody is told once', () => {
    const { sell, tell, counts } = watch(5);
    for (let turn = 1; turn <= 10; turn++) {
      sell(turn);
      expect(tell(turn * 100, 2).messages).toBe(2);
      expect(Math.max(...counts()) - Math.min(...counts())).toBeLessThanOrEqual(1);
    }
    expect(counts()).toEqual([4, 4, 4, 4, 4]);
  });

  test('who were not told in time get one message with the last value of all', () => {
    const { sell, tell, told } = watch(2);
    sell(8);
    tell(100, 1);
    sell(7);
    tell(200, 1);
    expect(told[1]).toEqual([expect.stringContaining('"available":7')]);
  });

  test('get a heartbeat after 15 s without a message, and it counts as a write', () => {
    const { tell, told, sell } = watch(2);
    expect(tell(14_999)).toEqual({ messages: 0, heartbeats: 0 });
    expect(tell(15_000, 1)).toEqual({ messages: 0, heartbeats: 1 });
    expect(tell(15_001)).toEqual({ messages: 0, heartbeats: 1 });
    expect(told).toEqual([[': \n\n'], [': \n\n']]);
    sell(8);
    expect(tell(15_200)).toEqual({ messages: 2, heartbeats: 0 });
    expect(tell(30_100)).toEqual({ messages: 0, heartbeats: 0 });
  });

  test('are told nothing that is in doubt, but that they are still connected', () => {
    const { sell, tell, told } = watch(1);
    sell(8);
    expect(tell(1_000, 10, false)).toEqual({ messages: 0, heartbeats: 0 });
    expect(tell(15_000, 10, false)).toEqual({ messages: 0, heartbeats: 1 });
    tell(15_100);
    expect(told[0]).toEqual([': \n\n', expect.stringContaining('"available":8')]);
  });

  test('are let go after a final message, and forgotten when they leave', () => {
    const { event, clients, tell, told, remove } = watch(2);
    remove[1]!();
    expect(clients.count).toBe(1);
    event.update({ event: { ...EVENT, status: 'cancelled' }, available: [0] });
    tell(100);
    expect(told).toEqual([[expect.stringContaining('cancelled'), 'end'], []]);
  });
});

/** Writes in a second of turns that come so often. */
function writesOf(pace: Pace, turnMs: number): number {
  let written = 0;
  for (let now = turnMs; now <= 1_000; now += turnMs) {
    const allowed = pace.allowance(now);
    pace.spend(allowed);
    written += allowed;
    expect(allowed).toBeLessThanOrEqual(10);
  }
  return written;
}

describe('a pace', () => {
  test('allows so many writes a second, evenly', () => {
    expect(writesOf(new Pace(1_000), 10)).toBeGreaterThan(980);
    expect(writesOf(new Pace(1_000), 5)).toBeGreaterThan(980);
    expect(writesOf(new Pace(1_000), 1)).toBeGreaterThan(980);
  });

  test('gives way to what makes turns late: half as many turns, a quarter of the writes; but never none', () => {
    expect(writesOf(new Pace(1_000), 20)).toBeGreaterThan(240);
    expect(writesOf(new Pace(1_000), 20)).toBeLessThan(260);
    expect(writesOf(new Pace(100), 50)).toBeGreaterThan(1);
  });

  test('says how long a round takes', () => {
    expect(new Pace(5_000).roundMs(5_000)).toBe(1_000);
    expect(new Pace(5_000).roundMs(1)).toBe(0.2);
  });
});
