import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as bounds from '../engine/domain/bounds.ts';
import { RESULTS as ADJUSTMENT_RESULTS, adjustStock } from '../engine/redis/commands/adjust-stock.ts';
import { BEGIN_RECOVERY_KEYS } from '../engine/redis/commands/begin-recovery.ts';
import { changeEvent, RESULTS as EVENT_RESULTS } from '../engine/redis/commands/change-event.ts';
import { changeWishlists, RESULTS as WISHLIST_RESULTS } from '../engine/redis/commands/change-wishlists.ts';
import { RESULTS as COMPENSATION_RESULTS, packCompensation } from '../engine/redis/commands/compensate.ts';
import { EXPIRE_HOLDS_KEYS } from '../engine/redis/commands/expire-holds.ts';
import { FINISH_RECOVERY_KEYS } from '../engine/redis/commands/finish-recovery.ts';
import { RESULTS as ORDER_RESULTS, placeOrders } from '../engine/redis/commands/place-orders.ts';
import { RESULTS as PRODUCT_RESULTS, putProducts } from '../engine/redis/commands/put-products.ts';
import { rebuildPageKeys } from '../engine/redis/commands/rebuild-page.ts';
import { RESULTS as SETTLEMENT_RESULTS, settleOrders } from '../engine/redis/commands/settle-orders.ts';
import { IDEMPOTENCY_KEYS, KEYS, laneKey } from '../engine/redis/keys.ts';
import { loadScript } from '../engine/redis/script.ts';
import { packageRoot } from '../engine/runtime/package-root.ts';

const names = readdirSync(`${packageRoot}/lua`)
  .filter((file) => file.endsWith('.lua'))
  .map((file) => file.replace('.lua', ''));

const detailsOf = { name: 'n', producer: null, type: null, function: null, description: null };

const asOf = { epoch: 1, sequence: 0 };
const settlement = {
  place: { ...asOf, index: 0 },
  action: 'cancel',
  status: 'placed',
  lines: [],
  asOf,
  user: 'u',
} as const;

const event = {
  id: 'e',
  name: 'n',
  startsAt: 0,
  endsAt: 1,
  status: 'open',
  holdSeconds: 0,
  items: [],
} as const;

/** The keys that each script's only caller passes, in order. */
const callerKeys: Record<string, readonly string[]> = {
  'place-orders': withLane(placeOrders.pack([{ user: 'u', lines: null }], 1, 0).keys),
  'put-products': withLane(
    putProducts.pack([{ sku: 's', price: 1, stock: 1, details: detailsOf }], 1, 0).keys,
  ),
  'adjust-stock': withLane(adjustStock.pack([{ sku: 's', delta: 1, reason: 'r' }], 1, 0).keys),
  'change-wishlists': withLane(changeWishlists.pack([{ user: 'u', sku: 's', quantity: 1 }], 1, 0).keys),
  'trim-journal': [KEYS.journal, KEYS.pins, KEYS.settled, KEYS.forgotten],
  'change-event': withLane(changeEvent.pack([{ revision: 0, event, action: 'open' }], 1, 0).keys),
  'settle-orders': withLane(settleOrders.pack([settlement], 1, 0).keys),
  'expire-holds': withLane(EXPIRE_HOLDS_KEYS),
  compensate: withLane(packCompensation({ since: '', compensations: [] }, 1, 0).keys),
  'rotate-idempotency': IDEMPOTENCY_KEYS,
  'begin-recovery': BEGIN_RECOVERY_KEYS,
  'rebuild-page': rebuildPageKeys('bootakhae:{0}:target'),
  'finish-recovery': FINISH_RECOVERY_KEYS,
};

const callerResults: Record<string, Readonly<Record<string, number>>> = {
  'place-orders': ORDER_RESULTS,
  'put-products': PRODUCT_RESULTS,
  'change-wishlists': WISHLIST_RESULTS,
  'settle-orders': SETTLEMENT_RESULTS,
  'adjust-stock': ADJUSTMENT_RESULTS,
  'change-event': EVENT_RESULTS,
  compensate: COMPENSATION_RESULTS,
};

function withLane(keys: readonly string[]): string[] {
  return [KEYS.epoch, laneKey('x'), KEYS.journal, ...keys];
}

/** The numbered list under `title` of a script's header: number -> name. */
function numbered(header: string, title: string): Map<number, string> {
  const section = new RegExp(`^${title}[^\\n]*\\n((?:  .*\\n)+)`, 'm').exec(header)?.[1] ?? '';
  const rows = [...section.matchAll(/^ {2}(\d+) (\w+)/gm)];
  return new Map(rows.map(([, number, name]) => [Number(number), name!]));
}

function referenced(body: string, array: 'KEYS' | 'ARGV'): Set<number> {
  const numbers = [...body.matchAll(new RegExp(`${array}\\[(\\d+)\\]`, 'g'))].map(([, number]) =>
    Number(number),
  );
  return new Set([...numbers, ...(array === 'KEYS' ? ringKeys(body) : [])]);
}

/** A script that uses the ring of idempotency records says only where in KEYS it begins. */
function ringKeys(body: string): number[] {
  const ring = Number(/^local RING = (\d+)$/m.exec(body)?.[1]);
  return ring ? IDEMPOTENCY_KEYS.map((_, at) => ring + at) : [];
}

/** Every number that a script gives a name. */
function constantsOf(body: string): Record<string, number> {
  const rows = [...body.matchAll(/^local ([A-Z_]+(?:, [A-Z_]+)*) = (\d+(?:, \d+)*)$/gm)];
  return Object.assign(
    {},
    ...rows.map(([, names, numbers]) => zip(names!.split(', '), numbers!.split(', ').map(Number))),
  );
}

/** What a header calls a key: its name, or `slot` for a slot of the ring. */
function nameOf(key: string): string {
  const [, name, part] = /^bootakhae:\{0\}:(\w+)(?::(\w+))?$/.exec(key)!;
  return name === 'idempotency' && part ? 'slot' : name!;
}

/** A full memory must not keep out what empties it. */
const FREEING = ['trim-journal', 'rotate-idempotency'];

describe.each(names)('%s.lua', (name) => {
  const { text } = loadScript(name);
  const [, header = '', body = ''] = /--\[\[(.*?)\]\](.*)/s.exec(text) ?? [];

  test('begins with a shebang, so that a full memory refuses it before it runs, unless it frees memory', () => {
    const flags = FREEING.includes(name) ? ' flags=allow-oom' : '';
    expect(text.startsWith(`#!lua${flags}\n`)).toBe(true);
  });

  test('says keys, arguments, reply, errors and cost', () => {
    for (const title of ['KEYS', 'ARGV', 'REPLY', 'ERRORS', 'COST'])
      expect(header).toMatch(new RegExp(`^${title}`, 'm'));
  });

  test('reads every key and argument that its header names, and no other', () => {
    expect(referenced(body, 'KEYS')).toEqual(new Set(numbered(header, 'KEYS').keys()));
    expect(referenced(body, 'ARGV')).toEqual(new Set(numbered(header, 'ARGV').keys()));
  });

  test('is called with the keys that its header names', () => {
    const declared = [...numbered(header, 'KEYS').values()];
    const passed = callerKeys[name]!.map(nameOf);
    expect(passed).toEqual(declared);
  });

  test('refuses with the errors that its header names, and no other', () => {
    const raised = [...body.matchAll(/(?:refuse\('|error_reply\(')([A-Z]+)/g)].map(([, code]) => code!);
    const declared = /^ERRORS[^:]*: ([A-Z, ]+)\./m.exec(header)![1]!.split(', ');
    expect(new Set(raised)).toEqual(new Set(declared));
  });

  test('answers the numbers that its caller reads', () => {
    for (const [result, number] of Object.entries(callerResults[name] ?? {})) {
      expect(header).toMatch(new RegExp(`\\b${number} ${result}\\b`));
    }
    expect(constantsOf(body)).toMatchObject(callerResults[name] ?? {});
  });
});

test.each([
  ['place-orders', 'MAX_ORDERS', bounds.MAX_ORDERS_OF_CALL],
  ['place-orders', 'MAX_LINES', bounds.MAX_LINES_OF_CALL],
  ['place-orders', 'MAX_LINES_OF_ORDER', bounds.MAX_LINES_OF_ORDER],
  ['place-orders', 'MAX_HOLD_MS', 1_000 * bounds.MAX_HOLD_SECONDS],
  ['place-orders', 'MAX_QUANTITY', bounds.MAX_QUANTITY_UNITS],
  ['put-products', 'MAX_PRODUCTS', bounds.MAX_PRODUCTS_OF_CALL],
  ['put-products', 'MAX_PRICE', bounds.MAX_PRICE_MINOR_UNITS],
  ['put-products', 'MAX_STOCK', bounds.MAX_STOCK_UNITS],
  ['adjust-stock', 'MAX_ADJUSTMENTS', bounds.MAX_ADJUSTMENTS_OF_CALL],
  ['adjust-stock', 'MAX_DELTA', bounds.MAX_ADJUSTMENT_UNITS],
  ['adjust-stock', 'MAX_STOCK', bounds.MAX_STOCK_UNITS],
  ['adjust-stock', 'MAX_REASON', bounds.MAX_REASON_CHARACTERS],
  ['settle-orders', 'MAX_REASON', bounds.MAX_REASON_CHARACTERS],
  ['compensate', 'MAX_COMPENSATIONS', bounds.MAX_COMPENSATIONS_OF_CALL],
  ['compensate', 'MAX_REASON', bounds.MAX_COMPENSATION_REASON_CHARACTERS],
  ['change-event', 'MAX_ITEMS', bounds.MAX_ITEMS_OF_EVENT],
  ['change-event', 'MAX_STOCK', bounds.MAX_STOCK_UNITS],
  ['change-event', 'MAX_PRICE', bounds.MAX_PRICE_MINOR_UNITS],
  ['change-event', 'MAX_LIMIT', bounds.MAX_LIMIT_UNITS],
  ['change-event', 'MAX_HOLD_MS', 1_000 * bounds.MAX_HOLD_SECONDS],
  ['change-wishlists', 'MAX_CHANGES', bounds.MAX_CHANGES_OF_CALL],
  ['change-wishlists', 'MAX_LINES_OF_WISHLIST', bounds.MAX_LINES_OF_WISHLIST],
  ['change-wishlists', 'MAX_QUANTITY', bounds.MAX_QUANTITY_UNITS],
])('%s.lua holds %s as engine/domain/bounds.ts does', (name, constant, value) => {
  const source = loadScript(name).text;
  const [, left, right] = new RegExp(`^local ([A-Z_, ]*\\b${constant}\\b[A-Z_, ]*) = ([\\d, ]+)$`, 'm').exec(
    source,
  )!;
  expect(zip(left!.split(', '), right!.split(', ').map(Number))[constant]).toBe(value);
});

function zip(left: readonly string[], right: readonly number[]): Record<string, number> {
  return Object.fromEntries(left.map((name, at) => [name, right[at]!]));
}
