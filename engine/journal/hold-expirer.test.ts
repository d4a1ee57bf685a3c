import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { useRedis } from '../../test/fixtures/servers.ts';
import { Batcher } from '../redis/batcher.ts';
import { placeOrdersWithHold } from '../redis/commands/place-orders.ts';
import { KEYS } from '../redis/keys.ts';
import { Lane } from '../redis/lane.ts';
import { systemClock } from '../runtime/clock.ts';
import { HoldExpirer } from './hold-expirer.ts';

const redis = useRedis();
const HOLD_MS = 1;
let lines: Record<string, unknown>[];
let expirer: HoldExpirer;

beforeEach(async () => {
  lines = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const epoch = () => 1;
  const laneOptions = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch };
  expirer = new HoldExpirer({
    lane: new Lane(laneOptions),
    epoch,
    nowMs: () => Date.now() + HOLD_MS,
    logger,
  });
  await redis.client.flushall();
  await redis.client.xgroup('CREATE', KEYS.journal, 'none', '$', 'MKSTREAM'); // empty, but there
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5, 'b', 5);
  await redis.client.hset(KEYS.levels, 'a', 10, 'b', 10);
  const bounds = { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 256, waitMs: 5_000, lanes: 1 };
  const orders = new Batcher({ ...laneOptions, command: placeOrdersWithHold(HOLD_MS), bounds });
  await Promise.all(['a', 'b'].map((sku) => orders.submit({ user: 'u', lines: [{ sku, quantity: 1 }] })));
});

test('P2: a hold that cannot be ended is told once, not at every look, and the others end', async () => {
  await redis.client.hdel(KEYS.levels, 'a');
  expect([await expirer.run(), await expirer.run(), await expirer.run()]).toEqual([1, 0, 0]);
  expect(lines).toEqual([expect.objectContaining({ level: 50, places: ['1-0-0'], count: 1 })]);
  expect(await redis.client.hget(KEYS.levels, 'b')).toBe('10');
});

test('one that was mended ends, and says nothing more', async () => {
  await redis.client.hdel(KEYS.levels, 'a');
  await expirer.run();
  await redis.client.hset(KEYS.levels, 'a', 9);
  expect(await expirer.run()).toBe(1);
  expect(await redis.client.hget(KEYS.levels, 'a')).toBe('10');
  expect(lines).toHaveLength(1);
});
