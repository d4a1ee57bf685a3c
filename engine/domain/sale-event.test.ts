import { describe, expect, test } from 'vitest';
import { event, MINUTE, repeating } from '../../test/fixtures/made-up-events.ts';
import { overlapsOf, packEvent, type SaleEvent, unpackEvent } from './sale-event.ts';

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
  const from = (id: string, startsAt: string, over: Partial<SaleEvent> = {}) =>
    event({ id, startsAt: Date.parse(startsAt), endsAt: Date.parse(startsAt) + 60 * MINUTE, ...over });
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
