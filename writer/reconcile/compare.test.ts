import { describe, expect, test } from 'vitest';
import type { EventRow } from '../../engine/database/statements/upsert-events.ts';
import type { RequestedLine } from '../../engine/domain/order.ts';
import { levelField } from '../../engine/domain/pool.ts';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { Offer } from '../../engine/redis/event-reader.ts';
import { foldEntries } from '../fold.ts';
import type { Drift } from './drift.ts';
import { countField, eventRule, limitRule, OpenEvents, offerRule } from './event-rules.ts';
import { compareKey, type Rule } from './rule.ts';
import { holdRule, productRule, wishlistRule } from './shop-rules.ts';
import { levelRule } from './stock-rules.ts';
import { Tally } from './tally.ts';

const DETAILS = { name: 'a', producer: null, type: null, function: null, description: null };
const DEADLINE = 1_000;

interface Cut {
  readonly levels: ReadonlyMap<string, number>;
  readonly prices: ReadonlyMap<string, number>;
  readonly wishlists: ReadonlyMap<string, readonly RequestedLine[]>;
  readonly held: ReadonlySet<string>;
  readonly offers: ReadonlyMap<string, Offer>;
  readonly counts: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, SaleEvent>;
}

interface Ledger {
  readonly levels: readonly {
    sku: string;
    pool: string;
    available: number | null;
    moved: number;
    ordered: number;
  }[];
  readonly prices: ReadonlyMap<string, number>;
  readonly wishlists: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly held: readonly string[];
  readonly events: readonly EventRow[];
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const cut = (over: Partial<Cut> = {}): Cut => ({
  levels: new Map([['tea', 7]]),
  prices: new Map([['tea', 300]]),
  wishlists: new Map([['mina', [{ sku: 'tea', quantity: 2 }]]]),
  held: new Set<string>(),
  offers: new Map(),
  counts: new Map(),
  events: new Map(),
  ...over,
});

const level = (over: Partial<Ledger['levels'][number]> = {}) => ({
  sku: 'tea',
  pool: 'regular',
  available: 7,
  moved: 10,
  ordered: 3,
  ...over,
});

const ledger = (over: Partial<Ledger> = {}): Ledger => ({
  levels: [level()],
  prices: new Map([['tea', 300]]),
  wishlists: new Map([['mina', new Map([['tea', 2]])]]),
  held: [],
  events: [],
  counts: new Map(),
  ...over,
});

const hold = { deadline: DEADLINE, units: ['tea', 1] };

/** Compares whole sides as reconcile does page by page: every key that one of the sides or the backlog has. */
function compare(
  over: { cut?: Cut; ledger?: Ledger; backlog?: readonly Entry[]; aside?: readonly Entry[] } = {},
) {
  const [redis, kept] = [over.cut ?? cut(), over.ledger ?? ledger()];
  const tallies = talliesOf(over.backlog ?? [], over.aside ?? []);
  const events = new OpenEvents(kept.events.filter(({ event }) => event.status === 'open'));
  const each = <Kept, Held>(
    rule: Rule<Kept, Held>,
    inDatabase: Iterable<readonly [string, Kept]>,
    inRedis: Iterable<readonly [string, Held]>,
  ): Drift[] => {
    const [a, b] = [new Map(inDatabase), new Map(inRedis)];
    const keys = new Set([...a.keys(), ...b.keys(), ...tallies.flatMap((tally) => [...rule.touched(tally)])]);
    return [...keys].flatMap((key) =>
      compareKey(rule, { key, kept: a.get(key), redis: b.get(key) }, tallies),
    );
  };
  const priced = (prices: ReadonlyMap<string, number>) =>
    Array.from(prices, ([sku, price]) => [sku, { price, details: DETAILS }] as const);
  const lines = Array.from(
    redis.wishlists,
    ([user, list]) => [user, new Map(list.map(({ sku, quantity }) => [sku, quantity]))] as const,
  );
  const counts = kept.events.flatMap(({ event, opened }) =>
    Array.from(kept.counts.get(event.id) ?? [], ([key, units]) => {
      const [sku, user] = key.split('\0') as [string, string];
      return [countField(opened!, { sku, user }), units] as const;
    }),
  );
  return [
    ...each(
      levelRule,
      kept.levels.map((row) => [levelField(row), row] as const),
      redis.levels,
    ),
    ...each(productRule, priced(kept.prices), priced(redis.prices)),
    ...each(wishlistRule, kept.wishlists, lines),
    ...each(
      holdRule,
      kept.held.map((id) => [id, hold] as const),
      [...redis.held].map((id) => [id, hold] as const),
    ),
    ...each(
      eventRule,
      kept.events.map((row) => [row.event.id, row] as const),
      redis.events,
    ),
    ...each(offerRule(events), [], redis.offers),
    ...each(limitRule(events), counts, redis.counts),
  ];
}

function talliesOf(backlog: readonly Entry[], aside: readonly Entry[]): Tally[] {
  const tallies = aside.length > 0 ? [new Tally(), new Tally()] : [new Tally()];
  tallies.forEach((tally, at) => {
    tally.add(foldEntries(aside), { isOutOfOrder: at > 0 });
    for (const entry of backlog) tally.add(foldEntries([entry]));
  });
  return tallies;
}

let sequence = 9;
const place = () => ({ position: { epoch: 1, sequence: ++sequence }, at: 0 });

function orderOf(userId: string, quantity: number, fromWishlist = false): Entry {
  const items = [{ sku: 'tea', quantity, unitPrice: 300, eventId: null }];
  const id = '0001000000000000';
  const order = {
    id,
    status: 'placed' as const,
    items,
    total: 300 * quantity,
    placedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: null,
  };
  return { ...place(), kind: 'orders', orders: [{ userId, order, fromWishlist, token: null }] };
}

describe('no drift', () => {
  test('where all sides agree', () => {
    expect(compare()).toEqual([]);
  });

  test('where there is nothing at all', () => {
    const empty = { levels: new Map(), prices: new Map(), wishlists: new Map() };
    const nothing = { levels: [], prices: new Map(), wishlists: new Map() };
    expect(compare({ cut: cut(empty), ledger: ledger(nothing) })).toEqual([]);
  });

  test('in a backlog of orders, new and changed products, and wishlists', () => {
    const backlog: Entry[] = [
      orderOf('jun', 2),
      { ...place(), kind: 'products', products: [{ sku: 'tea', price: 350, stock: null, details: DETAILS }] },
      { ...place(), kind: 'products', products: [{ sku: 'cup', price: 1, stock: 4, details: DETAILS }] },
      orderOf('mina', 2, true),
      { ...place(), kind: 'wishlists', changes: [{ user: 'mina', sku: 'cup', quantity: 1 }] },
      { ...place(), kind: 'wishlists', changes: [{ user: 'jun', sku: 'cup', quantity: 0 }] },
    ];
    const redis = cut({
      levels: new Map([
        ['tea', 3],
        ['cup', 4],
      ]),
      prices: new Map([
        ['tea', 350],
        ['cup', 1],
      ]),
      wishlists: new Map([['mina', [{ sku: 'cup', quantity: 1 }]]]),
    });
    expect(compare({ cut: redis, backlog })).toEqual([]);
  });

  test('in a backlog of adjustments', () => {
    const adjustment = { sku: 'tea', reason: 'counted', token: null };
    const adjustments = [
      { ...adjustment, delta: -7, available: 0 },
      { ...adjustment, delta: 4, available: 4 },
    ];
    const backlog: Entry[] = [{ ...place(), kind: 'adjustments', adjustments }];
    expect(compare({ cut: cut({ levels: new Map([['tea', 4]]) }), backlog })).toEqual([]);
  });

  test('in a wishlist that MariaDB has without lines', () => {
    const wishlists = new Map([...ledger().wishlists, ['jun', new Map<string, number>()]]);
    expect(compare({ ledger: ledger({ wishlists }) })).toEqual([]);
  });
});

describe('a drift', () => {
  const level0 = { sku: 'tea', pool: 'regular', kind: 'level' };

  test('of a level, either way, also under a backlog that hides it', () => {
    const high = { cut: cut({ levels: new Map([['tea', 8]]) }) };
    expect(compare(high)).toEqual([{ ...level0, redis: 8, database: 7, expected: 7, difference: 1 }]);
    expect(compare({ backlog: [orderOf('jun', 2)] })).toEqual([
      { ...level0, redis: 7, database: 7, expected: 5, difference: 2 },
    ]);
  });

  test('of a level that one side does not have', () => {
    expect(compare({ cut: cut({ levels: new Map() }) })).toEqual([
      { ...level0, redis: null, database: 7, expected: 7, difference: null },
    ]);
    const levels = new Map([
      ['tea', 7],
      ['ghost', 1],
    ]);
    expect(compare({ cut: cut({ levels }) })).toEqual([
      { ...level0, sku: 'ghost', redis: 1, database: null, expected: null, difference: null },
    ]);
  });

  test('of a level that is no number', () => {
    const drifts = compare({ cut: cut({ levels: new Map([['tea', Number.NaN]]) }) });
    expect(drifts.map(({ kind }) => kind)).toEqual(['level']);
  });

  test('of a level below zero, even where both agree', () => {
    const both = {
      cut: cut({ levels: new Map([['tea', -1]]) }),
      ledger: ledger({ levels: [level({ available: -1, ordered: 11 })] }),
    };
    expect(compare(both)).toEqual([
      { ...level0, kind: 'negative', redis: -1, database: -1, expected: 0, difference: -1 },
    ]);
  });

  test.each([
    ['a movement too many', { moved: 11 }, 7, 8, -1],
    ['an order too many', { ordered: 4 }, 7, 6, 1],
    ['a level without movements', { moved: 0, ordered: 0 }, 7, 0, 7],
  ])('of MariaDB with itself: %s', (_, over, database, expected, difference) => {
    expect(compare({ ledger: ledger({ levels: [level(over)] }) })).toEqual([
      { ...level0, kind: 'ledger', redis: 7, database, expected, difference },
    ]);
  });

  test('of MariaDB with itself: movements or orders without a level', () => {
    const levels = [level(), level({ sku: 'ghost', available: null, moved: 0, ordered: 2 })];
    expect(compare({ ledger: ledger({ levels }) })).toEqual([
      {
        ...level0,
        sku: 'ghost',
        kind: 'ledger',
        redis: null,
        database: null,
        expected: -2,
        difference: null,
      },
    ]);
  });

  test('of a price', () => {
    const price = { sku: 'tea', pool: null, kind: 'price' };
    expect(compare({ cut: cut({ prices: new Map([['tea', 1]]) }) })).toEqual([
      { ...price, redis: 1, database: 300, expected: 300, difference: -299 },
    ]);
    expect(compare({ ledger: ledger({ prices: new Map() }) })).toEqual([
      { ...price, redis: 300, database: null, expected: null, difference: null },
    ]);
  });

  test('of a wishlist: a quantity, a line too many, a line that is lost', () => {
    const wishlists = new Map([
      ['mina', [{ sku: 'tea', quantity: 5 }]],
      ['jun', [{ sku: 'tea', quantity: 1 }]],
    ]);
    const wish = { sku: 'tea', pool: null, kind: 'wishlist' };
    expect(compare({ cut: cut({ wishlists }) })).toEqual([
      { ...wish, user: 'mina', redis: 5, database: 2, expected: 2, difference: 3 },
      { ...wish, user: 'jun', redis: 1, database: 0, expected: 0, difference: 1 },
    ]);
    expect(compare({ cut: cut({ wishlists: new Map() }) })).toEqual([
      { ...wish, user: 'mina', redis: 0, database: 2, expected: 2, difference: -2 },
    ]);
  });
});

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

describe('holds', () => {
  const HELD = '0001000000000000';
  const settled = (status: 'placed' | 'expired'): Entry => ({
    ...place(),
    kind: 'settlements',
    settlements: [{ orderId: HELD, status, units: [], strays: [], countedFor: null, reason: null }],
    keyed: [],
  });

  test('agree where Redis and MariaDB hold the same orders', () => {
    expect(compare({ cut: cut({ held: new Set([HELD]) }), ledger: ledger({ held: [HELD] }) })).toEqual([]);
  });

  test('agree where the backlog tells why they differ', () => {
    expect(compare({ ledger: ledger({ held: [HELD] }), backlog: [settled('placed')] })).toEqual([]);
  });

  test.each([
    ['only in Redis', [HELD], [], 1],
    ['only in MariaDB', [], [HELD], -1],
  ])('drift: held %s', (_, inRedis, inDatabase, difference) => {
    const drifts = compare({ cut: cut({ held: new Set(inRedis) }), ledger: ledger({ held: inDatabase }) });
    expect(drifts).toMatchObject([{ kind: 'hold', order: HELD, difference }]);
  });

  test('drift: still held in Redis though the journal says it expired', () => {
    const sides = { cut: cut({ held: new Set([HELD]) }), ledger: ledger({ held: [HELD] }) };
    expect(compare({ ...sides, backlog: [settled('expired')] })).toMatchObject([
      { kind: 'hold', difference: 1 },
    ]);
  });
});
