import { describe, expect, test } from 'vitest';
import {
  decideStep,
  type EventStatus,
  overlapsOf,
  packEvent,
  type SaleEvent,
  unpackEvent,
} from './sale-event.ts';

const event = (over: Partial<SaleEvent> = {}): SaleEvent => ({
  id: 'sale',
  name: 'a sale',
  startsAt: 1_000,
  endsAt: 2_000,
  status: 'scheduled',
  holdSeconds: 0,
  items: [{ sku: 'tea', stock: 5, price: 100, limitPerUser: 2 }],
  repeat: null,
  occurrence: 1,
  ...over,
});

describe('what overlaps an event', () => {
  const other = (over: Partial<SaleEvent>) => event({ id: 'other', ...over });

  test.each([
    ['at the same time', {}, true],
    ['that ends as it starts', { startsAt: 0, endsAt: 1_000 }, false],
    ['that starts as it ends', { startsAt: 2_000, endsAt: 3_000 }, false],
    ['that ends a millisecond into it', { startsAt: 0, endsAt: 1_001 }, true],
    ['around it, open', { startsAt: 0, endsAt: 9_000, status: 'open' as const }, true],
    ['at the same time, closed', { status: 'closed' as const }, false],
    ['at the same time, cancelled', { status: 'cancelled' as const }, false],
    ['with other products', { items: [{ sku: 'cup', stock: 1, price: 1, limitPerUser: null }] }, false],
  ])('an event %s', (_, over, overlaps) => {
    expect(overlapsOf(event(), [other(over)])).toHaveLength(overlaps ? 1 : 0);
  });

  test('never itself', () => {
    expect(overlapsOf(event(), [event({ status: 'open' })])).toEqual([]);
  });
});

describe('a step', () => {
  const decide = (status: EventStatus, step: 'open' | 'close' | 'cancel', now = 1_500) =>
    decideStep(event({ status }), step, now);

  test.each([
    ['scheduled', 'open', 'change', 'open'],
    ['scheduled', 'close', 'impossible', null],
    ['scheduled', 'cancel', 'change', 'record'],
    ['open', 'open', 'already', null],
    ['open', 'close', 'change', 'close'],
    ['open', 'cancel', 'change', 'close'],
    ['closed', 'open', 'impossible', null],
    ['closed', 'close', 'already', null],
    ['closed', 'cancel', 'impossible', null],
    ['cancelled', 'open', 'impossible', null],
    ['cancelled', 'close', 'impossible', null],
    ['cancelled', 'cancel', 'already', null],
  ] as const)('%s, %s: %s', (status, step, kind, action) => {
    expect(decide(status, step)).toMatchObject(action ? { kind, action } : { kind });
  });

  test('that opens an event before its time moves its start to now, after it leaves it', () => {
    expect(decide('scheduled', 'open', 500)).toMatchObject({ event: { startsAt: 500, status: 'open' } });
    expect(decide('scheduled', 'open', 1_500)).toMatchObject({ event: { startsAt: 1_000 } });
    expect(decide('scheduled', 'open', 2_000)).toMatchObject({ kind: 'impossible' });
  });
});

test('an event is read as it was packed, whatever order its members come in', () => {
  const { items, ...rest } = event({ name: '세일 "sale"' });
  expect(unpackEvent('sale', packEvent({ items, ...rest }))).toEqual({ ...rest, items });
  expect(packEvent({ items, ...rest })).toBe(packEvent({ ...rest, items }));
});
