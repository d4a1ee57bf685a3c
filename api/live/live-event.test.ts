import { describe, expect, test } from 'vitest';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import { LiveEvent } from './live-event.ts';

const EVENT: SaleEvent = {
  id: 'e',
  name: 'a sale',
  startsAt: 0,
  endsAt: 3_600_000,
  status: 'open',
  holdSeconds: 0,
  repeat: null,
  occurrence: 1,
  items: ['tea', 'rice', 'salt'].map((sku) => ({ sku, stock: 9, price: 5, limitPerUser: null })),
};

function begin(): LiveEvent {
  const live = new LiveEvent('e');
  live.update({ event: EVENT, available: [9, 9, 9] });
  return live;
}

/** The messages that somebody gets who was told of `version`. */
function told(live: LiveEvent, version: number | null) {
  return live
    .since(version)
    .toString()
    .split('\n\n')
    .filter((message) => message !== '')
    .map((message) => {
      const [, id, event, data] = /^(?:id: (.*)\n)?event: (.*)\ndata: (.*)$/.exec(message)!;
      return { id, event, data: JSON.parse(data!) };
    });
}

describe('what is told of an event', () => {
  test('is everything to who was told nothing, and nothing to who was told everything', () => {
    const live = begin();
    const items = EVENT.items.map(({ sku }) => ({ sku, available: 9, price: 5 }));
    const times = { startsAt: '1970-01-01T00:00:00.000Z', endsAt: '1970-01-01T01:00:00.000Z' };
    expect(told(live, null)).toEqual([
      { id: expect.any(String), event: 'snapshot', data: { id: 'e', status: 'open', ...times, items } },
    ]);
    expect(told(live, live.version)).toEqual([]);
  });

  test('is the last value of what changed since, however often it did, and of nothing else', () => {
    const live = begin();
    const first = live.version;
    live.update({ event: EVENT, available: [8, 9, 9] });
    live.update({ event: EVENT, available: [7, 9, 4] });
    const second = live.version;
    live.update({ event: EVENT, available: [9, 9, 4] });
    expect(told(live, first)).toMatchObject([
      {
        event: 'stock',
        data: {
          items: [
            { sku: 'tea', available: 9 },
            { sku: 'salt', available: 4 },
          ],
        },
      },
    ]);
    expect(told(live, second)).toMatchObject([
      { event: 'stock', data: { items: [{ sku: 'tea', available: 9 }] } },
    ]);
  });

  test('is not told again while nothing changes', () => {
    const live = begin();
    const { version } = live;
    live.update({ event: { ...EVENT, items: [...EVENT.items] }, available: [9, 9, 9] });
    expect(live.version).toBe(version);
  });

  test('is the status before the stock, and the mark comes with the last of them', () => {
    const live = begin();
    const { version } = live;
    live.update({ event: { ...EVENT, status: 'closed' }, available: [0, 9, 9] });
    const messages = told(live, version);
    expect(messages.map(({ event }) => event)).toEqual(['status', 'stock']);
    expect(messages[0]).toMatchObject({ id: undefined, data: { status: 'closed' } });
    expect(live.versionOf(messages[1]!.id!)).toBe(live.version);
    expect(live.isFinal).toBe(true);
  });

  test('is that the next window is scheduled, without an end, when an event repeats', () => {
    const live = begin();
    const { version } = live;
    const next = { ...EVENT, status: 'scheduled' as const, startsAt: 7_200_000, endsAt: 9_000_000 };
    live.update({ event: next, available: [0, 0, 0] });
    expect(told(live, version)[0]!.data).toMatchObject({
      status: 'scheduled',
      startsAt: '1970-01-01T02:00:00.000Z',
    });
    expect(live.isFinal).toBe(false);
  });

  test.each([
    [
      'other items',
      (live: LiveEvent) =>
        live.update({ event: { ...EVENT, items: EVENT.items.slice(1) }, available: [9, 9] }),
    ],
    [
      'another price',
      (live: LiveEvent) =>
        live.update({
          event: { ...EVENT, items: EVENT.items.map((item) => ({ ...item, price: 4 })) },
          available: [9, 9, 9],
        }),
    ],
    ['a doubt about all that was told', (live: LiveEvent) => live.tellAll()],
  ])('is everything to everybody after %s', (_, change) => {
    const live = begin();
    const mark = told(live, null)[0]!.id!;
    const { version } = live;
    change(live);
    expect(told(live, version).map(({ event }) => event)).toEqual(['snapshot']);
    expect(live.versionOf(mark)).toBeNull();
    const since = live.version;
    live.update({ event: { ...EVENT, status: 'cancelled' }, available: [9, 9, 9] });
    expect(live.version).toBeGreaterThan(since);
  });

  test('is written once for all who were told of the same version', () => {
    const live = begin();
    const { version } = live;
    live.update({ event: EVENT, available: [1, 2, 3] });
    expect(live.since(version)).toBe(live.since(version));
    expect(live.since(null)).toBe(live.since(null));
  });
});
