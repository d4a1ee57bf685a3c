import { beforeEach, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { useRedis } from '../fixtures/servers.ts';
import { UNSOUND } from './commands.ts';
import type { WritingScript } from './script-arguments.ts';
import { sendArgument } from './script-calls.ts';
import type { OrdersReply } from './script-replies.ts';

/** What the scripts' own door lets in and what it does not, whoever calls: one malformed argument after the other. */
const redis = useRedis();

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.xgroup('CREATE', KEYS.journal, 'none', '$', 'MKSTREAM'); // empty, but there
});

const send = (script: WritingScript, argument: Buffer) => sendArgument(redis.client, script, argument);

/** Asks for these orders where 100 units of "a" are there; answers the results and what is left. */
async function askAtTheDoor(skus: string[], users: string[], orders: unknown[]) {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 100);
  const argument = packMessage([1, 1, 0, 1, skus, users, orders, [], 0, []]);
  const [, , , results] = (await send('place-orders', argument)) as [number, ...OrdersReply];
  return { results, left: await redis.client.hget(KEYS.levels, 'a') };
}

test.each(UNSOUND.map((quantity) => ({ quantity })))(
  'P1: a quantity of $quantity spoils its order and nothing else',
  async ({ quantity }) => {
    const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [1, 1, quantity, 1, 1, 2]);
    expect(asked).toEqual({ results: [7, 1, 0, 0], left: '98' });
  },
);

test('P1: a product that is named twice spoils its order and nothing else', async () => {
  const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [2, 1, 60, 1, 60, 1, 1, 2]);
  expect(asked).toEqual({ results: [7, 1, 0, 0], left: '98' });
});

test('P1: a line that is short by one unit takes nothing', async () => {
  const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [1, 1, 99, 1, 1, 2]);
  expect(asked).toEqual({ results: [1, 0, 0, 2, 1, 1, 2, 1], left: '1' });
});

test('P2: an order with an unknown product leaves the known one, too', async () => {
  const asked = await askAtTheDoor(['a', 'new'], ['ann'], [2, 1, 60, 2, 1]);
  expect(asked).toEqual({ results: [3, 1, 2], left: '100' });
});

test.each<[string, Buffer]>([
  ['not MessagePack', Buffer.from([0xc1])],
  ['no array', packMessage('orders')],
  ['another format', packMessage([2, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [], 0, []])],
  ['an epoch that is a text', packMessage([1, '1', 0, 1, ['a'], ['ann'], [1, 1, 1], [], 0, []])],
  ['a sequence of NaN', packMessage([1, 1, 0, Number.NaN, ['a'], ['ann'], [1, 1, 1], [], 0, []])],
  ['a clock with a fraction', packMessage([1, 1, 0.5, 1, ['a'], ['ann'], [1, 1, 1], [], 0, []])],
  ['nobody who orders', packMessage([1, 1, 0, 1, ['a'], [], [], [], 0, []])],
  ['a sku that is a number', packMessage([1, 1, 0, 1, [7], ['ann'], [1, 1, 1], [], 0, []])],
  [
    'a sku that stands there twice',
    packMessage([1, 1, 0, 1, ['a', 'a'], ['ann'], [2, 1, 1, 2, 1], [], 0, []]),
  ],
  ['a token that is too short', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [1, 'short'], 0, []])],
  ['a token of nobody', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [2, 'x'.repeat(33)], 0, []])],
  ['a user that is a number', packMessage([1, 1, 0, 1, ['a'], [7], [1, 1, 1], [], 0, []])],
  ['fewer lines than counted', packMessage([1, 1, 0, 1, ['a'], ['ann'], [2, 1, 1], [], 0, []])],
  ['more lines than counted', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1, 1, 1], [], 0, []])],
  ['1,001 lines', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1_001, ...Array(2_002).fill(1)], [], 0, []])],
  ['a count of -1', packMessage([1, 1, 0, 1, ['a'], ['ann'], [-1], [], 0, []])],
  ['a count of 1.5', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1.5, 1, 1, 1], [], 0, []])],
  [
    'more lines than a call holds',
    packMessage([1, 1, 0, 1, ['a'], Array(5).fill('ann'), manyLines(5), [], 0, []]),
  ],
])('at the door of place-orders, %s changes nothing', async (_, argument) => {
  await expectRefused('place-orders', argument);
});

const adjustments = (...values: unknown[]) => packMessage([1, 1, 0, 1, values]);

test.each<[string, Buffer]>([
  ['not MessagePack', Buffer.from([0xc1])],
  ['another format', packMessage([2, 1, 0, 1, ['a', 1, 'r', '']])],
  ['nothing to adjust', packMessage([1, 1, 0, 1])],
  ['no adjustment', adjustments()],
  ['no array', packMessage([1, 1, 0, 1, 'a'])],
  ['three values', adjustments('a', 1, 'r')],
  ['a sku that is a number', adjustments(7, 1, 'r', '')],
  ['a reason that is a number', adjustments('a', 1, 7, '')],
  ['no reason', adjustments('a', 1, null, '')],
  ['a token that is a number', adjustments('a', 1, 'r', 7)],
  ['a token that is too short', adjustments('a', 1, 'r', 'short')],
  ['a good one and a bad one', adjustments('a', 1, 'r', '', 'a', 1, 'r', 'short')],
  ['1,001 adjustments', adjustments(...Array.from({ length: 1_001 }, () => ['a', 1, 'r', '']).flat())],
])('at the door of adjust-stock, %s changes nothing', async (_, argument) => {
  await expectRefused('adjust-stock', argument);
});

async function expectRefused(script: WritingScript, argument: Buffer): Promise<void> {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 100);
  await expect(send(script, argument)).rejects.toThrow(/^(MALFORMED|FORMAT)/);
  expect(await redis.client.hgetall(KEYS.levels)).toEqual({ a: '100' });
  expect((await redis.client.keys('*')).sort()).toEqual(
    [KEYS.epoch, KEYS.journal, KEYS.levels, KEYS.prices].sort(),
  );
}

test.each([null, 'many', '-1', '1.5', 'nan', '1e3x'])(
  'P1: a known product whose level is %j is not adjusted, and spoils no neighbour',
  async (level) => {
    await redis.client.set(KEYS.epoch, 1);
    await redis.client.hset(KEYS.prices, 'a', 5, 'B', 5);
    await redis.client.hset(KEYS.levels, 'B', 1, ...(level === null ? [] : ['a', level]));
    const argument = adjustments('a', 1, 'r', '', 'B', 2, 'r', '');
    const reply = await send('adjust-stock', argument);
    expect(reply).toEqual([0, [5, 0, 1, 3]]);
    const levels = { B: '3', ...(level !== null && { a: level }) };
    expect(await redis.client.hgetall(KEYS.levels)).toEqual(levels);
  },
);

test('a call takes 1,000 adjustments, each with a key, and gives 1,000 answers', async () => {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 0);
  const items = Array.from({ length: 1_000 }, (_, at) => ['a', 1, 'r', String(at).padEnd(33, 'k')]);
  const reply = (await send('adjust-stock', adjustments(...items.flat()))) as unknown[][];
  expect(reply[1]!.slice(-2)).toEqual([1, 1_000]);
  expect(await redis.client.hget(KEYS.levels, 'a')).toBe('1000');
});

function manyLines(orders: number): number[] {
  return Array.from({ length: orders }, () => [1_000, ...Array(2_000).fill(1)]).flat();
}
