import { describe, expect, test } from 'vitest';
import { InternalFault } from '../domain/fault.ts';
import { parseOrderId } from '../domain/order-id.ts';
import { packDetails } from '../domain/product.ts';
import { readEntry } from './entry.ts';

const POSITION = { epoch: 1, sequence: 42 };
const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const DETAILS = { name: '녹차', producer: null, type: 'drink', function: null, description: null };

const read = (content: unknown) => readEntry(POSITION, content);
const [FROM_LINES, FROM_WISHLIST] = [0, 1];
const skus = ['tea', '한', 'not ordered'];
const prices = [300, 1_200, -1];

const TOKEN = 'k'.repeat(33);
const settlements = (...parts: unknown[]) => [1, 'settlements', AT, ...parts];

describe('a sound entry', () => {
  test('of settlements: each with the units that went back, and what keys led to', () => {
    const settled = [
      ['1-1-0', 'cancelled', ['tea', 2, 'tea\0sale', 1], ['cup\0over', 3], 'mina', 'it broke'],
      ['1-1-1', 'placed', [], [], ''],
    ];
    const units = [
      { sku: 'tea', pool: 'regular', quantity: 2 },
      { sku: 'tea', pool: 'sale', quantity: 1 },
    ];
    const strays = [{ sku: 'cup', pool: 'over', quantity: 3 }];
    expect(read(settlements(settled, [TOKEN, 'cancelled']))).toEqual({
      position: POSITION,
      at: AT,
      kind: 'settlements',
      settlements: [
        {
          ...{ orderId: '0001000000001000', status: 'cancelled', reason: 'it broke' },
          ...{ units, strays, countedFor: 'mina' },
        },
        {
          ...{ orderId: '0001000000001001', status: 'placed', reason: null },
          ...{ units: [], strays: [], countedFor: null },
        },
      ],
      keyed: [{ token: TOKEN, status: 'cancelled' }],
    });
  });

  test('of settlements from before they carried keys, strays or reasons', () => {
    expect(read(settlements([['1-1-0', 'placed', []]]))).toMatchObject({
      settlements: [{ strays: [], countedFor: null, reason: null }],
      keyed: [],
    });
  });

  test('of orders: each with its lines, total, time, and an id that is its place', () => {
    const packed = [FROM_LINES, 2, 1, 5, 2, 1, FROM_WISHLIST, 1, 2, 3];
    expect(read([1, 'orders', AT, skus, prices, ['mina', 'jun'], packed, [1, TOKEN], 0])).toEqual({
      position: POSITION,
      at: AT,
      kind: 'orders',
      orders: [
        {
          userId: 'mina',
          fromWishlist: false,
          token: null,
          order: {
            id: '000100000001A000',
            status: 'placed',
            items: [
              { sku: 'tea', quantity: 5, unitPrice: 300, eventId: null },
              { sku: '한', quantity: 1, unitPrice: 1_200, eventId: null },
            ],
            total: 2_700,
            placedAt: '2026-01-02T03:04:05.678Z',
            expiresAt: null,
          },
        },
        {
          userId: 'jun',
          fromWishlist: true,
          token: TOKEN,
          order: expect.objectContaining({
            id: '000100000001A001',
            items: [{ sku: '한', quantity: 3, unitPrice: 1_200, eventId: null }],
            total: 3_600,
          }),
        },
      ],
    });
    expect(parseOrderId('000100000001A001')).toEqual({ ...POSITION, index: 1 });
  });

  test('of products: created ones with their stock, changed ones with null', () => {
    const packed = [
      ['tea', 300, 0, packDetails(DETAILS)],
      ['한', 1_200, -1, packDetails(DETAILS)],
    ];
    expect(read([1, 'products', AT, packed])).toMatchObject({
      kind: 'products',
      products: [
        { sku: 'tea', price: 300, stock: 0, details: DETAILS },
        { sku: '한', price: 1_200, stock: null, details: DETAILS },
      ],
    });
  });

  test('of wishlists: lines set and, with 0, taken off', () => {
    const changes = [
      { user: 'mina', sku: 'tea', quantity: 3 },
      { user: 'jun', sku: '한', quantity: 0 },
    ];
    const packed = changes.map(({ user, sku, quantity }) => [user, sku, quantity]);
    expect(read([1, 'wishlists', AT, packed])).toMatchObject({ kind: 'wishlists', changes });
  });
});

describe('a sound entry of adjustments', () => {
  test('has each with what was available after it, and its token if it has one', () => {
    const packed = [
      ['tea', -3, '깨짐', 0, ''],
      ['한', 5, 'counted', 5, TOKEN],
    ];
    expect(read([1, 'adjustments', AT, packed])).toEqual({
      position: POSITION,
      at: AT,
      kind: 'adjustments',
      adjustments: [
        { sku: 'tea', delta: -3, reason: '깨짐', available: 0, token: null },
        { sku: '한', delta: 5, reason: 'counted', available: 5, token: TOKEN },
      ],
    });
  });
});

describe('P5: an entry that cannot be read is named, never guessed at', () => {
  test.each([0, 2, '1', null, undefined])('format %j: by its number, with what to do', (format) => {
    expect(() => read([format, 'orders', AT, [], [], [], [], [], 0])).toThrow(
      `journal entry 1-42 has format ${format}, this program reads 1: upgrade it`,
    );
  });

  test.each(['sales', '', 7, null, '__proto__', 'constructor'])('kind %j: by its name', (kind) => {
    expect(() => read([1, kind, AT, []])).toThrow(`journal entry 1-42 is of the unknown kind ${kind}`);
  });

  const EVENT_WITHOUT_PRICE = JSON.stringify({
    ...{ name: 'n', startsAt: 0, endsAt: 1, status: 'open', holdSeconds: 0 },
    items: [{ sku: 'tea', stock: 1, limitPerUser: null }],
  });

  const orders = (
    packed: unknown,
    users: unknown = ['mina'],
    over: { skus?: unknown; prices?: unknown } = {},
  ) => [1, 'orders', AT, over.skus ?? skus, over.prices ?? prices, users, packed, [], 0];
  const product = (...cells: unknown[]) => [1, 'products', AT, [cells]];
  const adjustment = (...cells: unknown[]) => [1, 'adjustments', AT, [cells]];

  test.each([
    ['no array', null],
    ['no array but an object', { 0: 1, length: 1 }],
    ['an empty array', []],
    ['a clock that is no number', [1, 'orders', 'now', skus, prices, [], [], [], 0]],
    ['a clock between two milliseconds', [1, 'wishlists', 1.5, []]],
    ['nothing after the clock: orders', [1, 'orders', AT]],
    ['nothing after the clock: products', [1, 'products', AT]],
    ['nothing after the clock: wishlists', [1, 'wishlists', AT]],
    ['an order without lines', orders([FROM_LINES, 0])],
    ['an order cut off', orders([FROM_LINES, 2, 1, 5])],
    ['an order that is not there', orders([FROM_LINES, 1, 1, 5], ['mina', 'jun'])],
    ['something after the last order', orders([FROM_LINES, 1, 1, 5, 0])],
    ['a line of no product', orders([FROM_LINES, 1, 4, 1])],
    ['a line of product 0', orders([FROM_LINES, 1, 0, 1])],
    ['a line of an unknown product', orders([FROM_LINES, 1, 3, 1])],
    ['a quantity of 0', orders([FROM_LINES, 1, 1, 0])],
    ['a quantity below zero', orders([FROM_LINES, 1, 1, -1])],
    ['half a unit', orders([FROM_LINES, 1, 1, 0.5])],
    ['a count of lines that never ends', orders([FROM_LINES, Number.POSITIVE_INFINITY, 1, 1])],
    ['a user that is no text', orders([FROM_LINES, 1, 1, 1], [7])],
    ['a sku that is no text', orders([FROM_LINES, 1, 1, 1], ['mina'], { skus: [7] })],
    ['a price that is no number', orders([FROM_LINES, 1, 1, 1], ['mina'], { prices: ['300'] })],
    ['a product without price', product('tea')],
    ['a product of a price below zero', product('tea', -1, 0, packDetails(DETAILS))],
    ['a product of half a stock', product('tea', 1, 0.5, packDetails(DETAILS))],
    ['a product of a stock below zero', product('tea', 1, -2, packDetails(DETAILS))],
    ['a product without name', product(null, 1, 1, packDetails(DETAILS))],
    ['a product whose details are no JSON', product('tea', 1, 1, '{')],
    ['an event whose record has no items', [1, 'events', AT, 'sale', '{"name":"n"}', 0, [], '']],
    ['an event whose item has no price', [1, 'events', AT, 'sale', EVENT_WITHOUT_PRICE, 0, [], '']],
    ['a wish of a quantity below zero', [1, 'wishlists', AT, [['mina', 'tea', -1]]]],
    ['a wish without quantity', [1, 'wishlists', AT, [['mina', 'tea']]]],
    ['nothing after the clock: adjustments', [1, 'adjustments', AT]],
    ['adjustments that are no arrays', [1, 'adjustments', AT, ['tea']]],
    ['an adjustment of no product', adjustment(null, 1, 'r', 1, '')],
    ['an adjustment by 0', adjustment('tea', 0, 'r', 1, '')],
    ['an adjustment by half a unit', adjustment('tea', 0.5, 'r', 1, '')],
    ['an adjustment by a text', adjustment('tea', '1', 'r', 1, '')],
    ['an adjustment without reason', adjustment('tea', 1, '', 1, '')],
    ['an adjustment whose reason is no text', adjustment('tea', 1, null, 1, '')],
    ['an adjustment that leaves less than nothing', adjustment('tea', -1, 'r', -1, '')],
    ['an adjustment that leaves less than it brought', adjustment('tea', 5, 'r', 4, '')],
    ['an adjustment that leaves nobody knows what', adjustment('tea', 1, 'r')],
    ['an adjustment with half a token', adjustment('tea', 1, 'r', 1, 'k')],
    ['an adjustment whose token is no text', adjustment('tea', 1, 'r', 1, 7)],
    ['settlements that are no arrays', settlements(['1-1-0'])],
    ['a settlement of what is no order', settlements([['tea', 'placed', []]])],
    ['a settlement to a status that is none', settlements([['1-1-0', 'held', []]])],
    ['a settlement of half a line', settlements([['1-1-0', 'cancelled', ['tea']]])],
    ['a settlement of a negative quantity', settlements([['1-1-0', 'cancelled', ['tea', -1]]])],
    ['a key of a settlement that led nowhere', settlements([], [TOKEN])],
    ['a key of a settlement that is too short', settlements([], ['k', 'placed'])],
    ['a key of a settlement that led to no status', settlements([], [TOKEN, 'held'])],
    ['a wish of nobody', [1, 'wishlists', AT, [[null, 'tea', 1]]]],
  ])('%s', (_, content) => {
    expect(() => read(content)).toThrow(InternalFault);
    expect(() => read(content)).toThrow(/^journal entry 1-42 /);
  });
});
