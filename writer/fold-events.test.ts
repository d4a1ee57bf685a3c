import { expect, test } from 'vitest';
import { formatOrderId } from '../engine/domain/order-id.ts';
import type { Occurrence, SaleEvent } from '../engine/domain/sale-event.ts';
import type { Entry } from '../engine/journal/entry.ts';
import { foldEntries } from './fold.ts';

const EVENT: SaleEvent = {
  id: 'sale',
  name: 'a sale',
  startsAt: 0,
  endsAt: 9,
  status: 'open',
  holdSeconds: 0,
  items: [{ sku: 'tea', stock: 10, price: 7, limitPerUser: 3 }],
  repeat: null,
  occurrence: 1,
};
const OF_TWO = [{ sku: 'tea', pool: 'sale', quantity: 2 }];

const head = (sequence: number) => ({ position: { epoch: 1, sequence }, at: 0 });
const idAt = (sequence: number) => formatOrderId({ epoch: 1, sequence, index: 0 });

/** mina orders two of the event's units. */
function ordered(sequence: number): Entry {
  const items = [{ sku: 'tea', quantity: 2, unitPrice: 7, eventId: 'sale' }];
  const placedAt = new Date(0).toISOString();
  const placed = {
    id: idAt(sequence),
    status: 'placed',
    items,
    total: 14,
    placedAt,
    expiresAt: null,
  } as const;
  const orders = [{ userId: 'mina', order: placed, fromWishlist: false, token: null }];
  return { ...head(sequence), kind: 'orders', orders };
}

/** The order of entry `order` is cancelled: its units go back to the pool, or, as strays, to `regular`. */
function cancelled(sequence: number, order: number, isStray: boolean): Entry {
  const parts = isStray
    ? { units: [], strays: OF_TWO, countedFor: null }
    : { units: OF_TWO, strays: [], countedFor: 'mina' };
  const settlement = { orderId: idAt(order), status: 'cancelled' as const, reason: null, ...parts };
  return { ...head(sequence), kind: 'settlements', settlements: [settlement], keyed: [] };
}

function changed(sequence: number, status: 'open' | 'closed', units: number): Entry {
  const action = status === 'open' ? 'open' : 'close';
  const change = {
    event: { ...EVENT, status },
    action,
    moves: [{ sku: 'tea', units }],
    token: null,
    occurrences: [],
    reason: null,
  } as const;
  return { ...head(sequence), kind: 'events', change };
}

test('P5: an event opens, sells, takes back and closes: moves, strays, and what limits count', () => {
  const changes = foldEntries([
    changed(0, 'open', 10),
    ordered(1),
    ordered(2),
    cancelled(3, 1, false),
    changed(4, 'closed', -8),
    cancelled(5, 2, true),
  ]);
  expect(changes.levels).toEqual([
    { sku: 'tea', pool: 'regular', delta: 0 },
    { sku: 'tea', pool: 'sale', delta: 0 },
  ]);
  expect(
    changes.movements.map(({ entry, line, pool, delta, kind }) => [entry, line, pool, delta, kind]),
  ).toEqual([
    ['1-0', 0, 'sale', 10, 'opening'],
    ['1-0', 1, 'regular', -10, 'opening'],
    ['1-4', 0, 'sale', -8, 'closing'],
    ['1-4', 1, 'regular', 8, 'closing'],
    ['1-5', 0, 'sale', -2, 'stray'],
    ['1-5', 1, 'regular', 2, 'stray'],
  ]);
  const opened = { epoch: 1, sequence: 0 };
  expect(changes.events).toEqual([{ event: { ...EVENT, status: 'closed' }, opened }]);
  expect(changes.pools).toEqual([{ sku: 'tea', pool: 'sale' }]);
  expect(changes.counts.begun).toEqual(new Set(['sale']));
  expect([...changes.counts.deltas.get('sale')!]).toEqual([['tea\0mina', 2]]);
});

test('P5: each window of an event has its last word, with the entries that opened and closed it, and what it was short of', () => {
  const window = (status: 'open' | 'closed') => ({ number: 1, startsAt: 0, endsAt: 9, status });
  const next = { number: 2, startsAt: 10, endsAt: 19, status: 'scheduled' } as const;
  const withHistory = (entry: Entry, occurrences: readonly Occurrence[]): Entry =>
    entry.kind === 'events' ? { ...entry, change: { ...entry.change, occurrences } } : entry;
  const { occurrences } = foldEntries([
    withHistory(changed(0, 'open', 7), [window('open')]),
    withHistory(changed(4, 'closed', -7), [window('closed'), next]),
  ]);
  const told = occurrences.map(({ number, status, openedEntry, closedEntry, note }) => {
    return [number, status, openedEntry, closedEntry, note];
  });
  expect(told).toEqual([
    [1, 'closed', '1-0', '1-4', 'short of stock when it opened: 7 of 10 of tea'],
    [2, 'scheduled', null, null, null],
  ]);
});
