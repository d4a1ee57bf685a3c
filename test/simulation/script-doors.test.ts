import { beforeEach, describe, expect, test } from 'vitest';
import { adjustStock, adjustStockScript } from '../../engine/redis/commands/adjust-stock.ts';
import { changeEvent, changeEventScript } from '../../engine/redis/commands/change-event.ts';
import { changeWishlists, changeWishlistsScript } from '../../engine/redis/commands/change-wishlists.ts';
import { EXPIRE_HOLDS_KEYS, expireHoldsScript } from '../../engine/redis/commands/expire-holds.ts';
import { putProducts, putProductsScript } from '../../engine/redis/commands/put-products.ts';
import { settleOrders, settleOrdersScript } from '../../engine/redis/commands/settle-orders.ts';
import { KEYS, laneKey } from '../../engine/redis/keys.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { callScript } from '../../engine/redis/script.ts';
import { useRedis } from '../fixtures/servers.ts';

/**
 * What the callers' codecs never let through, straight at the doors of the scripts: each is refused, and nothing in
 * Redis changes. (place-orders and more of adjust-stock: order-and-adjustment-doors.test.ts.)
 */
const redis = useRedis();
const NUMBERS = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', true, [], null];
const UNITS = [0, -3, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1_000_001, '3', true, [], null];
const LANE = laneKey('test');

const EVENT = {
  id: 'e',
  name: 'n',
  startsAt: 1,
  endsAt: 2,
  status: 'open',
  holdSeconds: 0,
  items: [],
  repeat: null,
  occurrence: 1,
} as const;

/** Each script with what it takes after the envelope's head when all is well. */
const DOORS = {
  'settle-orders': {
    script: settleOrdersScript,
    keys: settleOrders.pack([], 1, 0).keys,
    good: [[['1-1-0', 2, 'held', ['a', 2], 1, 1, 'u', '', 'it broke']]],
  },
  'expire-holds': { script: expireHoldsScript, keys: EXPIRE_HOLDS_KEYS, good: [0] },
  'change-wishlists': {
    script: changeWishlistsScript,
    keys: changeWishlists.pack([], 1, 0).keys,
    good: [['ann', 'a', 5]],
  },
  'put-products': {
    script: putProductsScript,
    keys: putProducts.pack([], 1, 0).keys,
    good: [['b', 5, 3, '{"name":"b"}']],
  },
  'adjust-stock': {
    script: adjustStockScript,
    keys: adjustStock.pack([], 1, 0).keys,
    good: [['a', 1, 'counted', '']],
  },
  'change-event': {
    script: changeEventScript,
    keys: changeEvent.pack([{ revision: 0, event: EVENT, action: 'open' }], 1, 0).keys,
    good: [0, 'e', '{}', 1, ['a', 10, 5, 0], 0, 1, 2 ** 50, '', [], [], ''],
  },
} as const;
type Door = keyof typeof DOORS;
const NAMES = Object.keys(DOORS) as Door[];

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.xgroup('CREATE', KEYS.journal, 'none', '$', 'MKSTREAM'); // empty, but there
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 100);
  await redis.client.hset(KEYS.catalogue, 'a', '{"name":"a"}');
  await redis.client.hset(KEYS.wishlists, 'ann', packMessage(['a', 1]));
  await redis.client.zadd(KEYS.holds, 1_000, '1-1-0');
  await redis.client.hset(KEYS.held, '1-1-0', packMessage(['a', 2]));
  await redis.client.set(LANE, '3:kept');
});

/** Every key with all that is in it. */
async function everything(): Promise<Record<string, string>> {
  const keys = (await redis.client.keys('*')).sort();
  const dumps = await Promise.all(keys.map((key) => redis.client.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, at) => [key, dumps[at]!.toString('hex')]));
}

function knock(door: Door, argument: Buffer): Promise<unknown> {
  const { script, keys } = DOORS[door];
  return callScript(redis.client, script, {
    keys: [KEYS.epoch, LANE, KEYS.journal, ...keys],
    args: [argument],
  });
}

const message = (
  payload: readonly unknown[],
  [format, epoch, clock, sequence]: unknown[] = [1, 1, 9_000, 4],
) => packMessage([format, epoch, clock, sequence, ...payload]);

async function expectRefused(door: Door, argument: Buffer, code = /^(MALFORMED|FORMAT) /): Promise<void> {
  const before = await everything();
  await expect(knock(door, argument)).rejects.toThrow(code);
  expect(await everything()).toEqual(before);
}

describe.each(NAMES)('P2: at the door of %s', (door) => {
  const { good } = DOORS[door];

  test('what is well is let in', async () => {
    const before = await everything();
    await knock(door, message(good));
    expect(await everything()).not.toEqual(before);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['no MessagePack', Buffer.from([0xc1])],
    ['MessagePack that is cut off', message(good).subarray(0, 3)],
    ['a text', packMessage('hello')],
    ['a number', packMessage(7)],
    ['nil', packMessage(null)],
    ['a map', packMessage({ format: 1 })],
    ['an empty array', packMessage([])],
    ['a head alone', message([])],
    ['a text in place of the array', message(['hello'])],
    ['a map in place of the array', message([{ a: 1 }])],
    ['nil in place of the array', message([null])],
    ['an empty text', message([''])],
  ])('%s is refused', async (_, argument) => {
    await expectRefused(door, argument);
  });

  test.each([0, 2, ...NUMBERS])('an envelope of format %j is refused', async (format) => {
    await expectRefused(door, message(good, [format, 1, 9_000, 4]));
  });

  test.each([0, 2 ** 32, ...NUMBERS])('an epoch of %j is refused', async (epoch) => {
    await expectRefused(door, message(good, [1, epoch, 9_000, 4]));
  });

  test.each(NUMBERS)('a clock of %j is refused', async (clock) => {
    await expectRefused(door, message(good, [1, 1, clock, 4]));
  });

  test.each([0, ...NUMBERS])('a sequence of %j is refused', async (sequence) => {
    await expectRefused(door, message(good, [1, 1, 9_000, sequence]));
  });

  test('another epoch is fenced off, an older call of the lane is stale', async () => {
    await expectRefused(door, message(good, [1, 2, 9_000, 4]), /^FENCED /);
    await expectRefused(door, message(good, [1, 1, 9_000, 2]), /^STALE /);
  });

  test('the same call again is told the same, and changes nothing', async () => {
    const before = await everything();
    expect(String(await knock(door, message(good, [1, 1, 9_000, 3])))).toBe('kept');
    expect(await everything()).toEqual(before);
  });
});

const SOUND = ['1-1-0', 2, 'held', ['a', 2], 1, 1, 'u', '', ''];
/** A request to settle with one part of it replaced. */
const asking = (part: number, value: unknown) => SOUND.map((sound, at) => (at === part ? value : sound));

describe('P2: settle-orders refuses a call in which a request has', () => {
  test.each<readonly [string, unknown]>([
    ...[7, 'x', '', '1-1', '1-1-0-0', '1-1-0x', '-1-1-0', null].map(
      (place) => ['a place of', asking(0, place)] as const,
    ),
    ...[0, 3, ...NUMBERS].map((action) => ['an action of', asking(1, action)] as const),
    ...[7, 'gone', '', null].map((status) => ['a status of', asking(2, status)] as const),
    ...[null, 'a', 7, ['a'], [7, 1], { a: 1 }, ['a', 1, 'b']].map(
      (units) => ['units of', asking(3, units)] as const,
    ),
    ...UNITS.map((quantity) => ['a quantity of', asking(3, ['a', quantity])] as const),
    ...[2 ** 32, ...NUMBERS].map((epoch) => ['an epoch of', asking(4, epoch)] as const),
    ...NUMBERS.map((sequence) => ['a sequence of', asking(5, sequence)] as const),
    ...[null, 7, 'short', 'k'.repeat(34)].map((token) => ['a token of', asking(7, token)] as const),
    ...[null, 7, '한'.repeat(256)].map((reason) => ['a reason of', asking(8, reason)] as const),
    ...[null, 7].map((user) => ['a user of', asking(6, user)] as const),
    ['nothing but a text', 'hello'],
    ['nothing', []],
  ])('%s: %j', async (_, request) => {
    await expectRefused('settle-orders', message([[request]]));
    await expectRefused('settle-orders', message([[SOUND, request]]));
  });

  test('or more requests or lines than a call takes', async () => {
    await expectRefused('settle-orders', message([Array(257).fill(SOUND)]));
    await expectRefused('settle-orders', message([[]]));
    const long = asking(3, Array.from({ length: 1_951 }, (_, at) => [`s${at}`, 1]).flat());
    await expectRefused('settle-orders', message([[long, long]]));
  });
});

test('P2: adjust-stock refuses a call with a hole in it', async () => {
  await expectRefused('adjust-stock', message([['a', 1, 'r', '', null, 1, 'r', '']]));
});

test.each([2 ** 32, {}, ...NUMBERS])('P2: expire-holds refuses to skip %j holds', async (skip) => {
  await expectRefused('expire-holds', message([skip]));
});

const GOOD_CHANGE = DOORS['change-event'].good;
const changing = (part: number, value: unknown) =>
  GOOD_CHANGE.map((good, at) => (at === part ? value : good));

describe('P2: change-event refuses', () => {
  test.each<readonly [string, readonly unknown[]]>([
    ...NUMBERS.map((revision) => ['a revision of', changing(0, revision)] as const),
    ...[7, null, '', 'a b', 'a\0b', 'a|b'].map((id) => ['an event of', changing(1, id)] as const),
    ...[7, null].map((record) => ['a record of', changing(2, record)] as const),
    ...[3, ...NUMBERS].map((action) => ['an action of', changing(3, action)] as const),
    ...NUMBERS.map((stock) => ['a stock of', changing(4, ['a', stock, 5, 0])] as const),
    ...NUMBERS.map((price) => ['a price of', changing(4, ['a', 1, price, 0])] as const),
    ...[1_000_001, ...NUMBERS].map((limit) => ['a limit of', changing(4, ['a', 1, 5, limit])] as const),
    ...[[], ['a'], 'a', null, [7, 1, 5, 0], ['a', 1, 5, 0, 'a', 1, 5, 0]].map(
      (items) => ['items of', changing(4, items)] as const,
    ),
    ['1,001 items', changing(4, Array.from({ length: 1_001 }, (_, at) => [`s${at}`, 1, 1, 0]).flat())],
    ...NUMBERS.map((hold) => ['a hold of', changing(5, hold)] as const),
    ...NUMBERS.map((starts) => ['a start of', changing(6, starts)] as const),
    ...[0, ...NUMBERS].map((ends) => ['an end of', changing(7, ends)] as const),
    ...[7, null, 'short'].map((token) => ['a token of', changing(8, token)] as const),
  ])('%s %j', async (_, payload) => {
    await expectRefused('change-event', message([...payload]));
  });
});

describe('P2: change-wishlists refuses', () => {
  test.each<readonly [string, readonly unknown[]]>([
    ['two values', ['ann', 'a']],
    ['four values', ['ann', 'a', 1, 'ann']],
    ['a user that is a number', [7, 'a', 1]],
    ['no user', [null, 'a', 1]],
    ['a sku that is a number', ['ann', 7, 1]],
    ...[-3, ...UNITS.slice(2)].map(
      (units) => [`a quantity of ${String(units)}`, ['ann', 'a', units]] as const,
    ),
    ['1,001 changes', Array.from({ length: 1_001 }, () => ['ann', 'a', 1]).flat()],
  ])('%s', async (_, changes) => {
    await expectRefused('change-wishlists', message([changes]));
    await expectRefused('change-wishlists', message([['ann', 'a', 7, ...changes]]));
  });
});

describe('P2: put-products refuses', () => {
  const MANY = 1_000_000_000_001;
  test.each<readonly [string, readonly unknown[]]>([
    ['three values', ['b', 5, 3]],
    ['a sku that is a number', [7, 5, 3, '{}']],
    ['an empty sku', ['', 5, 3, '{}']],
    ...[MANY, ...NUMBERS].map((price) => [`a price of ${String(price)}`, ['b', price, 3, '{}']] as const),
    ...[MANY, ...NUMBERS].map((stock) => [`a stock of ${String(stock)}`, ['b', 5, stock, '{}']] as const),
    ['details that are a number', ['b', 5, 3, 7]],
    ['no details', ['b', 5, 3, null]],
    ['1,001 products', Array.from({ length: 1_001 }, () => ['b', 5, 3, '{}']).flat()],
  ])('%s', async (_, products) => {
    await expectRefused('put-products', message([products]));
    await expectRefused('put-products', message([['c', 5, 3, '{}', ...products]]));
  });
});
