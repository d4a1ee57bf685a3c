import { describe, expect, test } from 'vitest';
import { event, MINUTE, repeating } from '../../test/fixtures/made-up-events.ts';
import { decideAdjustment, decideDue, decideEdit, decideStep } from './event-decisions.ts';
import type { EventStatus, SaleEvent } from './sale-event.ts';

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

  test('one change tells of 500 missed windows at most, and the next goes on where it ended', () => {
    const now = 600 * 30 * MINUTE;
    const first = decideDue(repeating(), now) as Extract<ReturnType<typeof decideDue>, { kind: 'change' }>;
    expect(first.event).toMatchObject({ status: 'scheduled', occurrence: 501 });
    const second = decideDue(first.event, now) as typeof first;
    expect(second.event).toMatchObject({ status: 'scheduled', occurrence: 601, startsAt: now });
    const told = [...first.occurrences, ...second.occurrences].filter(({ status }) => status === 'missed');
    expect(told.map(({ number }) => number)).toEqual(Array.from({ length: 600 }, (_, at) => at + 1));
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
  test('that is scheduled may set anything and schedules its window anew; any other is refused', () => {
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

  test('that is open changes its allotments by signed units, keeps its other items, and takes no new ones', () => {
    const items = ['tea', 'cup'].map((sku) => ({ sku, stock: 5, price: 1, limitPerUser: null }));
    const open = event({ status: 'open', items });
    expect(decideAdjustment(open, [{ sku: 'cup', delta: -2 }])).toMatchObject({
      kind: 'change',
      action: 'adjust',
      deltas: [0, -2],
      event: { items: [{ stock: 5 }, { stock: 3 }] },
    });
    // More than its pool can have: the script says what there is.
    expect(decideAdjustment(open, [{ sku: 'tea', delta: -6 }])).toMatchObject({ deltas: [-6, 0] });
    const foreign = ['pot', 'tea', 'jug'].map((sku) => ({ sku, delta: 1 }));
    expect(decideAdjustment(open, foreign)).toEqual({ kind: 'not_carried', skus: ['pot', 'jug'] });
    expect(decideAdjustment(event(), [{ sku: 'tea', delta: 1 }])).toMatchObject({ kind: 'impossible' });
  });
});
