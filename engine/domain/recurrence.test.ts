import { describe, expect, test } from 'vitest';
import { findRepeatFaults, firstWindow, nextWindow, type Repeat } from './recurrence.ts';

const MINUTE_MS = 60_000;
const NOW = Date.parse('2026-11-25T03:00:00Z');

const repeat = (cron: string, timezone = 'UTC', durationMinutes = 10): Repeat => ({
  cron,
  timezone,
  durationMinutes,
});

/** The starts of the next `count` windows from `from` on. */
function starts(pattern: Repeat, from: string, count: number): string[] {
  const found: string[] = [];
  for (let at = Date.parse(from); found.length < count; ) {
    const window = nextWindow(pattern, at)!;
    expect(window.endsAt - window.startsAt).toBe(pattern.durationMinutes * MINUTE_MS);
    found.push(new Date(window.startsAt).toISOString().replace('.000Z', 'Z'));
    at = window.startsAt + 1;
  }
  return found;
}

describe('the windows of a repeat', () => {
  test('are read in its time zone', () => {
    expect(starts(repeat('0 14 * * *', 'Asia/Seoul'), '2026-12-30T05:00:01Z', 3)).toEqual([
      '2026-12-31T05:00:00Z',
      '2027-01-01T05:00:00Z',
      '2027-01-02T05:00:00Z',
    ]);
  });

  test('begin when the gap ends where the clock is put forward over a start', () => {
    expect(starts(repeat('30 2 * * *', 'Europe/Berlin'), '2027-03-27T00:00:00Z', 3)).toEqual([
      '2027-03-27T01:30:00Z',
      '2027-03-28T01:00:00Z', // 03:00 there: there is no 02:30
      '2027-03-29T00:30:00Z',
    ]);
  });

  test('begin once, the first time, where the clock is put back over a start', () => {
    expect(starts(repeat('30 2 * * *', 'Europe/Berlin'), '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ]);
  });

  test.each([
    ['0,30 2 * * *', ['2027-03-15T06:00:00Z', '2027-03-15T06:30:00Z']],
    ['30 * * * *', ['2027-03-14T06:30:00Z', '2027-03-14T07:30:00Z']], // 01:30 and 03:30
    ['0 0,1,2 * * *', ['2027-03-14T06:00:00Z', '2027-03-15T04:00:00Z']],
    ['30 2,14 * * *', ['2027-03-14T18:30:00Z', '2027-03-15T06:30:00Z']],
  ])('of several times of day skip what the clock skips: %s', (cron, expected) => {
    expect(starts(repeat(cron, 'America/New_York'), '2027-03-14T06:00:00Z', 2)).toEqual(expected);
  });

  test.each([
    ['0,30 1 * * *', ['05:00', '05:30', '06:00', '06:30']],
    ['30 * * * *', ['04:30', '05:30', '06:30', '07:30']],
    ['0 0,1,2 * * *', ['04:00', '05:00', '06:00', '07:00']],
  ])('of several times of day come twice where the clock shows them twice: %s', (cron, expected) => {
    const found = starts(repeat(cron, 'America/New_York'), '2027-11-07T04:00:00Z', 4);
    expect(found).toEqual(expected.map((time) => `2027-11-07T${time}:00Z`));
  });

  test('go on every half hour through both', () => {
    const pattern = repeat('*/30 * * * *', 'Europe/Berlin');
    for (const from of ['2026-10-25T00:00:00Z', '2027-03-28T00:00:00Z']) {
      const found = starts(pattern, from, 8).map((at) => Date.parse(at));
      expect(found).toEqual(Array.from({ length: 8 }, (_, at) => Date.parse(from) + at * 30 * MINUTE_MS));
    }
  });

  test('come on 29 February in leap years only', () => {
    expect(starts(repeat('0 0 29 2 *'), '2026-11-25T00:00:00Z', 2)).toEqual([
      '2028-02-29T00:00:00Z',
      '2032-02-29T00:00:00Z',
    ]);
  });

  test('of six fields begin at a second', () => {
    expect(starts(repeat('15 0 14 * * *'), '2026-11-25T14:00:15.001Z', 1)).toEqual(['2026-11-26T14:00:15Z']);
  });

  test.each([
    ['just then', '2026-11-25T14:00:00.000Z', '2026-11-25T14:00:00.000Z'],
    ['a millisecond before', '2026-11-25T13:59:59.999Z', '2026-11-25T14:00:00.000Z'],
    ['a millisecond after', '2026-11-25T14:00:00.001Z', '2026-11-26T14:00:00.000Z'],
  ])('are the first at or after the moment asked for: %s', (_, from, expected) => {
    const { startsAt } = nextWindow(repeat('0 14 * * *'), Date.parse(from))!;
    expect(new Date(startsAt).toISOString()).toBe(expected);
  });

  test('are none where the pattern never comes', () => {
    expect(nextWindow(repeat('0 0 31 2 *'), NOW)).toBeNull();
  });
});

describe('what stands against a repeat', () => {
  test.each([
    ['a day of no month', repeat('0 0 31 2 *'), 'cron', 'never comes'],
    ['four fields', repeat('0 0 1 1'), 'cron', 'five fields'],
    ['seven fields', repeat('0 0 0 1 1 1 2030'), 'cron', 'five fields'],
    ['nothing', repeat(''), 'cron', 'five fields'],
    ['a name', repeat('@daily'), 'cron', 'five fields'],
    ['a line end', repeat('0\n0 1 1 *'), 'cron', 'five fields'],
    ['a separator that is no space', repeat('0 0 1 1\u2028*'), 'cron', 'five fields'],
    ['a character that nobody sees', repeat('0 0 1 1 *\u200b'), 'cron', 'five fields'],
    ['minute 60', repeat('60 * * * *'), 'cron', '60'],
    ['letters', repeat('x * * * *'), 'cron', 'is no cron pattern'],
    ['a zone of no map', repeat('0 14 * * *', 'Nowhere/City'), 'timezone', 'IANA'],
    ['no zone', repeat('0 14 * * *', ''), 'timezone', 'IANA'],
    ['an offset', repeat('0 14 * * *', '+09:00'), 'timezone', 'IANA'],
    ['windows of a minute too long', repeat('0 14 * * *', 'UTC', 1_441), 'durationMinutes', 'is longer'],
  ])('%s', (_, pattern, member, message) => {
    expect(findRepeatFaults(pattern, NOW)).toEqual([{ member, message: expect.stringContaining(message) }]);
  });

  test('windows that run into each other on one day of the year only', () => {
    // The day on which the clock is put forward has 23 hours.
    const daily = repeat('0 14 * * *', 'Europe/Berlin', 1_440);
    expect(findRepeatFaults(daily, Date.parse('2026-11-01T00:00:00Z'))).toEqual([]);
    const [fault] = findRepeatFaults(daily, Date.parse('2027-03-01T00:00:00Z'));
    expect(fault?.message).toMatch(/2027-03-27T13:00:00.000Z and 2027-03-28T12:00:00.000Z/);
  });

  test.each([
    ['windows that end as the next begins', repeat('0 * * * *', 'UTC', 60)],
    ['a zone in small letters', repeat('0 14 * * *', 'asia/seoul')],
    ['six fields', repeat('30 0 14 * * MON-FRI')],
  ])('nothing: %s', (_, pattern) => {
    expect(findRepeatFaults(pattern, NOW)).toEqual([]);
  });
});

describe('the first window', () => {
  const daily = repeat('0 14 * * *', 'UTC', 30);
  const at = (time: string) => Date.parse(`2026-11-${time}Z`);

  test.each([
    ['as it is stated', { startsAt: 5, endsAt: 9, repeat: daily }, { startsAt: 5, endsAt: 9 }],
    ['the next of the cron', { repeat: daily }, { startsAt: at('25T14:00:00'), endsAt: at('25T14:30:00') }],
    ['of the length of the others', { startsAt: 5, repeat: daily }, { startsAt: 5, endsAt: 1_800_005 }],
    ['none where only its end is known', { endsAt: 9, repeat: daily }, null],
    ['none without times or repeat', { repeat: null }, null],
    ['none without an end or repeat', { startsAt: 5, repeat: null }, null],
  ])('is %s', (_, stated, expected) => {
    expect(firstWindow(stated, NOW)).toEqual(expected);
  });
});
