import { describe, expect, test } from 'vitest';
import { decideAdjustment, decideDue, decideEdit, decideStep } from './event-decisions.ts';
import { type EventStatus, overlapsOf, packEvent, type SaleEvent, unpackEvent } from './sale-event.ts';

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

describe('events that repeat meet', () => {
  const MINUTE_MS = 60_000;
  const from = (id: string, startsAt: string, over: Partial<SaleEvent> = {}) =>
    event({ id, startsAt: Date.parse(startsAt), endsAt: Date.parse(startsAt) + 60 * MINUTE_MS, ...over });
  const at = (cron: string) => ({ repeat: { cron, timezone: 'UTC', durationMinutes: 60 } });
  const daily = from('daily', '2026-12-01T14:00:00Z', at('0 14 * * *'));

  test.each([
    ['another at the same hour, its first window a day later', '2026-12-02T14:30:00Z', at('30 14 * * *'), 1],
    ['another that begins as it ends', '2026-12-01T15:00:00Z', at('0 15 * * *'), 0],
    ['one of Fridays, months later', '2027-03-05T13:30:00Z', at('30 13 * * FRI'), 1],
    ['a single one half a year ahead', '2027-06-01T14:59:00Z', {}, 1],
    ['a single one half a year ahead, in the morning', '2027-06-01T09:00:00Z', {}, 0],
    ['a single one that is before its first window', '2026-11-30T14:00:00Z', {}, 0],
    ['one of other products', '2026-12-01T14:00:00Z', { items: [] }, 0],
  ])('%s', (_, startsAt, over, count) => {
    const other = from('other', startsAt, over);
    expect(overlapsOf(other, [daily])).toHaveLength(count);
    expect(overlapsOf(daily, [other])).toHaveLength(count);
  });
});

describe('what is due', () => {
  const MINUTE_MS = 60_000;
  const everyMinute = { cron: '* * * * *', timezone: 'UTC', durationMinutes: 1 };
  const START = Date.parse('2026-12-01T00:00:00Z');
  const repeating = (over: Partial<SaleEvent> = {}) =>
    event({ startsAt: START, endsAt: START + MINUTE_MS, repeat: everyMinute, ...over });

  test.each([
    ['scheduled', 999, { kind: 'nothing', at: 1_000 }],
    ['scheduled', 1_000, { kind: 'change', action: 'open', event: { status: 'open' } }],
    ['scheduled', 1_999, { kind: 'change', action: 'open', event: { status: 'open' } }],
    ['scheduled', 2_000, { kind: 'change', action: 'record', event: { status: 'closed' } }],
    ['open', 1_999, { kind: 'nothing', at: 2_000 }],
    ['open', 2_000, { kind: 'change', action: 'close', event: { status: 'closed' } }],
    ['closed', 9_000, { kind: 'nothing', at: null }],
    ['cancelled', 9_000, { kind: 'nothing', at: null }],
  ] as const)('for an event that is %s, at %i', (status, now, expected) => {
    expect(decideDue(event({ status }), now)).toMatchObject(expected);
  });

  test('a window that passed is missed, each by itself, and the one that is on is scheduled', () => {
    const decision = decideDue(repeating(), START + 180 * MINUTE_MS);
    expect(decision).toMatchObject({ kind: 'change', action: 'record', event: { occurrence: 181 } });
    const { occurrences } = decision as Extract<typeof decision, { kind: 'change' }>;
    expect(occurrences.map(({ number }) => number)).toEqual(Array.from({ length: 181 }, (_, at) => at + 1));
    expect(occurrences.map(({ status }) => status)).toEqual([...Array(180).fill('missed'), 'scheduled']);
  });

  test('one change tells of 500 missed windows at most, and the next goes on where it ended', () => {
    const now = START + 600 * MINUTE_MS;
    const first = decideDue(repeating(), now) as Extract<ReturnType<typeof decideDue>, { kind: 'change' }>;
    expect(first.event).toMatchObject({ status: 'scheduled', occurrence: 501 });
    const second = decideDue(first.event, now) as typeof first;
    expect(second.event).toMatchObject({ status: 'scheduled', occurrence: 601, startsAt: now });
    const told = [...first.occurrences, ...second.occurrences].filter(({ status }) => status === 'missed');
    expect(told.map(({ number }) => number)).toEqual(Array.from({ length: 600 }, (_, at) => at + 1));
  });

  test('closing late goes on with the window that is still to come, closing early with the next', () => {
    const late = decideDue(repeating({ status: 'open' }), START + 10.5 * MINUTE_MS);
    expect(late).toMatchObject({
      action: 'close',
      event: { occurrence: 11, startsAt: START + 10 * MINUTE_MS },
    });
    const early = decideStep(repeating({ status: 'open' }), 'close', START + 1);
    expect(early).toMatchObject({
      event: { status: 'scheduled', occurrence: 2, startsAt: START + MINUTE_MS },
      occurrences: [
        { number: 1, status: 'closed' },
        { number: 2, status: 'scheduled' },
      ],
    });
  });
});

describe('a change', () => {
  test('of a scheduled event may set anything, of any other nothing', () => {
    const edit = { name: 'another', endsAt: 3_000 };
    expect(decideEdit(event(), edit, 0)).toMatchObject({
      kind: 'change',
      action: 'record',
      event: { ...edit, startsAt: 1_000 },
      occurrences: [{ number: 1, status: 'scheduled', endsAt: 3_000 }],
    });
    for (const status of ['open', 'closed', 'cancelled'] as const)
      expect(decideEdit(event({ status }), edit, 0)).toMatchObject({ kind: 'impossible' });
    expect(decideEdit(event(), { endsAt: 1_000 }, 0)).toMatchObject({ kind: 'impossible' });
    expect(decideEdit(event(), edit, 3_000)).toMatchObject({ kind: 'impossible' });
  });

  test('of allotments is for an open event, and keeps all of its items', () => {
    const items = ['tea', 'cup'].map((sku) => ({ sku, stock: 5, price: 1, limitPerUser: null }));
    const open = event({ status: 'open', items });
    expect(decideAdjustment(open, [{ sku: 'cup', delta: -2 }])).toMatchObject({
      kind: 'change',
      action: 'adjust',
      deltas: [0, -2],
      event: { items: [{ stock: 5 }, { stock: 3 }] },
    });
    expect(decideAdjustment(open, [{ sku: 'pot', delta: 1 }])).toMatchObject({ kind: 'impossible' });
    expect(decideAdjustment(event(), [{ sku: 'tea', delta: 1 }])).toMatchObject({ kind: 'impossible' });
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

describe('what the clock makes of an event', () => {
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
    // More than its pool can have: the script says what there is.
    expect(decideAdjustment(open, [{ sku: 'tea', delta: -6 }])).toMatchObject({ deltas: [-6] });
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

  test('meet also where one comes every minute and the other once in months', () => {
    const minutely = { cron: '* * * * *', timezone: 'UTC', durationMinutes: 1 };
    const often = event({ startsAt: 0, endsAt: MINUTE, repeat: minutely });
    const later = 200 * 24 * 60 * MINUTE;
    expect(overlapsOf(event({ id: 'once', startsAt: later, endsAt: later + 1 }), [often])).toHaveLength(1);
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
