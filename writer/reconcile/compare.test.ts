import { describe, expect, test } from 'vitest';
import type { Entry } from '../../engine/journal/entry.ts';
import { compare, cut, DETAILS, ledger, level, orderOf, place } from '../../test/fixtures/compared-sides.ts';

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
