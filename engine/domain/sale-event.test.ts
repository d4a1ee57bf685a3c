import { describe, expect, test } from 'vitest';
import {
  decideAdjustment,
  decideDue,
  decideEdit,
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

const MINUTE = 60_000;
/** Every half hour for ten minutes, UTC; the first window is that of 00:00. */
const repeating = (over: Partial<SaleEvent> = {}) =>
  event({
    startsAt: 0,
    endsAt: 10 * MINUTE,
    repeat: { cron: '0,30 * * * *', timezone: 'UTC', durationMinutes: 10 },
    ...over,
  });

describe('what is due', () => {
  const due = (status: EventStatus, now: number) => decideDue(event({ status }), now);

  test.each([
    ['scheduled', 999, { kind: 'nothing', at: 1_000 }],
    ['scheduled', 1_000, { kind: 'change', action: 'open', event: { status: 'open', startsAt: 1_000 } }],
    ['scheduled', 1_999, { kind: 'change', action: 'open' }],
    ['scheduled', 2_000, { kind: 'change', action: 'record', event: { status: 'closed' } }],
    ['open', 1_999, { kind: 'nothing', at: 2_000 }],
    ['open', 2_000, { kind: 'change', action: 'close', event: { status: 'closed' } }],
    ['closed', 1_500, { kind: 'nothing', at: null }],
    ['cancelled', 1_500, { kind: 'nothing', at: null }],
  ] as const)('of one that is %s at %i', (status, now, expected) => {
    expect(due(status, now)).toMatchObject(expected);
  });

  test('a window that passed entirely is missed, and never opened', () => {
    expect(due('scheduled', 2_000)).toMatchObject({ occurrences: [{ number: 1, status: 'missed' }] });
  });

  test('one that repeats goes on to its next window', () => {
    expect(decideDue(repeating({ status: 'open' }), 10 * MINUTE)).toMatchObject({
      action: 'close',
      event: { status: 'scheduled', occurrence: 2, startsAt: 30 * MINUTE, endsAt: 40 * MINUTE },
      occurrences: [
        { number: 1, status: 'closed' },
        { number: 2, status: 'scheduled', startsAt: 30 * MINUTE },
      ],
    });
  });

  test('of windows that passed while nobody looked each is missed; the one that is on is still to be opened', () => {
    const decided = decideDue(repeating({ status: 'open' }), 95 * MINUTE);
    expect(decided).toMatchObject({ event: { status: 'scheduled', occurrence: 4, startsAt: 90 * MINUTE } });
    const told = decided.kind === 'change' ? decided.occurrences : [];
    expect(told.map(({ number, status }) => [number, status])).toEqual([
      [1, 'closed'],
      [2, 'missed'],
      [3, 'missed'],
      [4, 'scheduled'],
    ]);
  });

  test("more than a change can tell are the next change's", () => {
    const late = 30 * MINUTE * 700;
    let [current, missed] = [repeating(), 0];
    for (let changes = 0; changes < 3; changes++) {
      const decided = decideDue(current, late);
      if (decided.kind !== 'change' || decided.action === 'open') break;
      missed += decided.occurrences.filter(({ status }) => status === 'missed').length;
      current = decided.event;
    }
    expect([missed, current.occurrence, current.startsAt]).toEqual([700, 701, late]);
  });
});

describe('by hand', () => {
  test('closing one that repeats schedules the next window, not what is left of this one', () => {
    expect(decideStep(repeating({ status: 'open' }), 'close', 2 * MINUTE)).toMatchObject({
      event: { status: 'scheduled', occurrence: 2, startsAt: 30 * MINUTE },
    });
  });

  test('one that was opened early and closed before its time does not open again for the same window', () => {
    const opened = decideStep(repeating({ startsAt: 30 * MINUTE, endsAt: 40 * MINUTE }), 'open', 20 * MINUTE);
    const { event: open } = opened as { event: SaleEvent };
    expect(open.startsAt).toBe(20 * MINUTE);
    expect(decideStep(open, 'close', 25 * MINUTE)).toMatchObject({ event: { startsAt: 60 * MINUTE } });
  });

  test('cancelling ends the series', () => {
    expect(decideStep(repeating({ status: 'open' }), 'cancel', MINUTE)).toMatchObject({
      event: { status: 'cancelled', occurrence: 1 },
      occurrences: [{ number: 1, status: 'cancelled' }],
    });
  });
});

describe('changing an event', () => {
  test('that is scheduled schedules its window anew; any other is refused', () => {
    const edited = decideEdit(event(), { endsAt: 9_000, name: 'longer' }, 0);
    expect(edited).toMatchObject({
      event: { name: 'longer', startsAt: 1_000 },
      occurrences: [{ endsAt: 9_000 }],
    });
    expect(decideEdit(event({ status: 'open' }), { name: 'x' }, 0)).toMatchObject({ kind: 'impossible' });
    expect(decideEdit(event(), { endsAt: 500 }, 0)).toMatchObject({ kind: 'impossible' });
    expect(decideEdit(event(), { name: 'late' }, 2_000)).toMatchObject({ kind: 'impossible' });
  });

  test('that is open changes its allotments by signed units, and nothing that it does not carry', () => {
    const open = event({ status: 'open' });
    expect(decideAdjustment(open, [{ sku: 'tea', delta: -2 }])).toMatchObject({
      action: 'adjust',
      deltas: [-2],
      event: { items: [{ sku: 'tea', stock: 3 }] },
    });
    expect(decideAdjustment(open, [{ sku: 'tea', delta: -6 }])).toMatchObject({ kind: 'impossible' });
    expect(decideAdjustment(open, [{ sku: 'cup', delta: 1 }])).toMatchObject({ kind: 'impossible' });
    expect(decideAdjustment(event(), [{ sku: 'tea', delta: 1 }])).toMatchObject({ kind: 'impossible' });
  });
});

describe('the windows of two events', () => {
  const noon = { startsAt: 12 * 60 * MINUTE, endsAt: 12 * 60 * MINUTE + 1 };

  test('that repeat meet sooner or later, or never', () => {
    const quarter = { cron: '15,45 * * * *', timezone: 'UTC', durationMinutes: 15 };
    const shifted = { id: 'other', startsAt: 15 * MINUTE, endsAt: 30 * MINUTE, repeat: quarter };
    expect(overlapsOf(repeating(), [repeating(shifted)])).toEqual([]);
    const longer = { ...shifted, repeat: { ...quarter, durationMinutes: 16 } };
    expect(overlapsOf(repeating(), [repeating(longer)])).toHaveLength(1);
  });

  test('meet where one comes once and the other again and again', () => {
    expect(overlapsOf(event({ id: 'once', ...noon }), [repeating()])).toHaveLength(1);
    const between = { startsAt: noon.startsAt + 10 * MINUTE, endsAt: noon.startsAt + 30 * MINUTE };
    expect(overlapsOf(event({ id: 'once', ...between }), [repeating()])).toEqual([]);
  });
});

test('an event is read as it was packed, whatever order its members come in', () => {
  const { items, ...rest } = event({ name: '세일 "sale"' });
  expect(unpackEvent('sale', packEvent({ items, ...rest }))).toEqual({ ...rest, items });
  expect(packEvent({ items, ...rest })).toBe(packEvent({ ...rest, items }));
});

test('events of before they could repeat come once', () => {
  const { repeat, occurrence, ...old } = JSON.parse(packEvent(event()));
  expect([repeat, occurrence]).toEqual([null, 1]);
  expect(unpackEvent('sale', JSON.stringify(old))).toEqual(event());
});
