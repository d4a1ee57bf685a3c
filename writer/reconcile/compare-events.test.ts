import { describe, expect, test } from 'vitest';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import { type Cut, compare, cut, ledger, level, place } from '../../test/fixtures/compared-sides.ts';

describe('sale events', () => {
  const opened = { epoch: 1, sequence: 5 };
  const event: SaleEvent = {
    id: 'sale',
    name: 'a sale',
    startsAt: 1,
    endsAt: 2,
    status: 'open',
    holdSeconds: 3,
    items: [{ sku: 'tea', stock: 4, price: 200, limitPerUser: 2 }],
    repeat: null,
    occurrence: 1,
  };
  const offer = {
    eventId: 'sale',
    price: 200,
    limit: 2,
    holdMs: 3_000,
    startsAt: 1,
    endsAt: 2,
    opened,
  };
  const open = (over: Partial<Cut> = {}) =>
    cut({
      levels: new Map([
        ['tea', 7],
        ['tea\0sale', 2],
      ]),
      events: new Map([['sale', event]]),
      offers: new Map([['tea', offer]]),
      counts: new Map([
        ['1-5\0tea\0mina', 2],
        ['1-2\0tea\0mina', 9],
      ]),
      ...over,
    });
  const kept = ledger({
    levels: [level(), level({ pool: 'sale', available: 2, moved: 4, ordered: 2 })],
    events: [{ event, opened }],
    counts: new Map([['sale', new Map([['tea\0mina', 2]])]]),
  });
  const kinds = (redis: Cut, backlog: readonly Entry[] = []) =>
    compare({ cut: redis, ledger: kept, backlog }).map(({ kind, sku, pool }) => [kind, sku, pool]);

  test('agree, whatever an earlier opening has left behind', () => {
    expect(kinds(open())).toEqual([]);
  });

  test('that drift are named: level of the pool, record, offer, limit', () => {
    const name = 'another name';
    expect(kinds(open({ levels: new Map([['tea', 7]]) }))).toEqual([['level', 'tea', 'sale']]);
    expect(kinds(open({ events: new Map([['sale', { ...event, name }]]) }))).toEqual([
      ['event', null, 'sale'],
    ]);
    expect(kinds(open({ offers: new Map() }))).toEqual([['offer', 'tea', 'sale']]);
    expect(kinds(open({ offers: new Map([['tea', { ...offer, limit: 3 }]]) }))).toEqual([
      ['offer', 'tea', 'sale'],
    ]);
    const counts = new Map([['1-5\0tea\0mina', 1]]);
    expect(compare({ cut: open({ counts }), ledger: kept })).toEqual([
      {
        kind: 'limit',
        sku: 'tea',
        pool: 'sale',
        user: 'mina',
        redis: 1,
        database: 2,
        expected: 2,
        difference: -1,
      },
    ]);
  });

  test('agree where the backlog closes the event', () => {
    const change = { event: { ...event, status: 'closed' }, action: 'close' } as const;
    const closing: Entry = {
      ...place(),
      kind: 'events',
      change: {
        ...change,
        moves: [{ sku: 'tea', units: -2 }],
        token: null,
        occurrences: [],
        reason: null,
      },
    };
    const redis = open({
      levels: new Map([['tea', 9]]),
      events: new Map([['sale', change.event]]),
      offers: new Map(),
    });
    expect(kinds(redis, [closing])).toEqual([]);
  });
});
