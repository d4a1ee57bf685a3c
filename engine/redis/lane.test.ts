import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { useRedis } from '../../test/fixtures/servers.ts';
import { InternalFault, NotAccepting, OutcomeUnknown } from '../domain/fault.ts';
import { systemClock } from '../runtime/clock.ts';
import { duplicateClient, type RedisClient, whenReady } from './client.ts';
import { putProducts, putProductsScript } from './commands/put-products.ts';
import { countEntries } from './journal-stream.ts';
import { KEYS } from './keys.ts';
import { Lane } from './lane.ts';

const redis = useRedis();
const details = { name: 'n', producer: null, type: null, function: null, description: null };
const callFor = (sku: string, epoch = 1) =>
  putProducts.pack([{ sku, price: 5, stock: 3, details }], epoch, 1_000);
const openLane = (deadlineMs = 5_000, epoch = () => 1) =>
  new Lane({ redis: redis.client, clock: systemClock, deadlineMs, epoch });
const CREATED = [0, [1]];

beforeEach(async () => {
  await whenReady(redis.client, 5_000);
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  // Known to Redis beforehand, or a call that is cut off would find NOSCRIPT and not have run.
  await redis.client.script('LOAD', putProductsScript.text);
});

/** Holds Redis up: what is sent meanwhile lies in its socket buffer and is decided once it goes on. */
const holdUp = () => process.kill(redis.server.pid, 'SIGSTOP');
const goOn = () => process.kill(redis.server.pid, 'SIGCONT');

describe('a call whose connection breaks after it was sent', () => {
  test('P4: is sent again and learns what the first one did, once', async () => {
    holdUp();
    const answer = openLane().call(callFor('a'));
    await nextTurn();
    redis.client.stream.destroy();
    goOn();
    expect(await answer).toEqual(CREATED);
    expect(await countEntries(redis.client)).toBe(1);
  });

  test('is unknown when the truth cannot be learned in time, and its lane is not used again', async () => {
    holdUp();
    const lane = openLane(100);
    await expect(lane.call(callFor('a'))).rejects.toBeInstanceOf(OutcomeUnknown);
    goOn();
    expect(await lane.call(callFor('b'))).toEqual([1, [1]]);
    expect(await redis.client.keys('*lane:*')).toHaveLength(2);
  });

  test('P6: is not sent again while the gate is closed', async () => {
    holdUp();
    let open = true;
    const epoch = () => {
      if (open) return 1;
      throw new NotAccepting('closed');
    };
    const answer = openLane(400, epoch).call(callFor('a'));
    await nextTurn();
    open = false;
    redis.client.stream.destroy();
    goOn();
    await expect(answer).rejects.toBeInstanceOf(OutcomeUnknown);
  });
});

describe('a call whose answer is lost, and then Redis refuses to write', () => {
  /** The call runs, and nothing is heard of it. */
  async function loseAnswer(lane: Lane, meanwhile = async (_: RedisClient) => {}) {
    const other = duplicateClient(redis.client, () => undefined);
    await whenReady(other, 5_000);
    void redis.client.call('CLIENT', 'REPLY', 'OFF').catch(() => undefined);
    const answer = lane.call(callFor('a')).finally(() => other.disconnect());
    answer.catch(() => undefined);
    await vi.waitUntil(async () => (await countEntries(other)) === 1, { timeout: 5_000, interval: 5 });
    await other.config('SET', 'maxmemory', 1);
    await meanwhile(other);
    redis.client.stream.destroy();
    return { answer };
  }

  afterEach(async () => {
    await whenReady(redis.client, 5_000);
    await redis.client.config('SET', 'maxmemory', 0);
  });

  test('P4: is learned by reading what the lane keeps', async () => {
    const { answer } = await loseAnswer(openLane());
    expect(await answer).toEqual(CREATED);
    expect(await countEntries(redis.client)).toBe(1);
  });

  test('P4: is unknown, never refused, when that tells nothing', async () => {
    const forget = async (other: RedisClient) => void (await other.del(await other.keys('*lane:*')));
    const { answer } = await loseAnswer(openLane(600), forget);
    await expect(answer).rejects.toBeInstanceOf(OutcomeUnknown);
  });
});

test('P4: a script that breaks off half-way is never told to have done nothing', async () => {
  await redis.client.set(KEYS.prices, 'no hash');
  await expect(openLane().call(callFor('a'))).rejects.toThrow(InternalFault);
});

test('a script that an operator kills has done nothing', async () => {
  const text = `#!lua\nwhile true do end`;
  const script = { name: 'endless', text, sha: createHash('sha1').update(text).digest('hex') };
  const other = duplicateClient(redis.client, () => undefined);
  await whenReady(other, 5_000);
  await redis.client.config('SET', 'busy-reply-threshold', 10);
  const answer = openLane().call({ ...callFor('a'), script });
  answer.catch(() => undefined);
  await vi.waitUntil(() => other.script('KILL').then(Boolean, () => false), { timeout: 5_000, interval: 5 });
  await expect(answer).rejects.toThrow(NotAccepting);
  other.disconnect();
});

test('P4: a call that arrives after a later one of its lane is refused', async () => {
  const lane = openLane();
  await lane.call(callFor('a'));
  const [key] = await redis.client.keys('*lane:*');
  const kept = await redis.client.getBuffer(key!);
  await redis.client.set(key!, Buffer.concat([Buffer.from('9'), kept!]));
  await expect(lane.call(callFor('b'))).rejects.toThrow(/STALE/);
  expect(await redis.client.hexists(KEYS.prices, 'b')).toBe(0);
});

test('a call of another epoch is fenced off: nothing was done', async () => {
  await redis.client.set(KEYS.epoch, 2);
  await expect(openLane().call(callFor('a'))).rejects.toThrow(NotAccepting);
  expect(await redis.client.keys('*')).toEqual([KEYS.epoch]);
});

test('a script that Redis has forgotten is sent again in full', async () => {
  await redis.client.call('SCRIPT', 'FLUSH');
  expect(await openLane().call(callFor('a'))).toEqual(CREATED);
});

test('a full memory refuses before anything is done', async () => {
  await redis.client.config('SET', 'maxmemory', 1);
  await expect(openLane().call(callFor('a'))).rejects.toThrow(NotAccepting);
  await redis.client.config('SET', 'maxmemory', 0);
  expect(await redis.client.keys('*')).toEqual([KEYS.epoch]);
});

test('a malformed call is our own mistake and says so', async () => {
  const call = { ...callFor('a'), payload: [['a', -1, 3, '{}']] };
  await expect(openLane().call(call)).rejects.toThrow(InternalFault);
  expect(await redis.client.keys('*')).toEqual([KEYS.epoch]);
});

test('P4, P6: a journal that is gone is not begun anew, so no place in it is given twice', async () => {
  await openLane().call(callFor('a'));
  await redis.client.del(KEYS.journal);
  await expect(openLane().call(callFor('b'))).rejects.toThrow(/LOST the journal is gone/);
  expect(await redis.client.exists(KEYS.journal)).toBe(0);
  expect(await redis.client.hkeys(KEYS.prices)).toEqual(['a']);
});

test('P3: with no replica to have it, a call is unknown, and it is not acknowledged', async () => {
  const acknowledge = vi.fn();
  const replication = { replicas: 1, waitMs: 20 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 200, epoch: () => 1 };
  const lane = new Lane({ ...options, acknowledge, replication });
  await expect(lane.call(callFor('a'))).rejects.toBeInstanceOf(OutcomeUnknown);
  expect(acknowledge).not.toHaveBeenCalled();
  expect(await countEntries(redis.client)).toBe(1);
});

test('P3: an answer that is read from the key while Redis refuses writes is not told without the replicas either', async () => {
  const acknowledge = vi.fn();
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 300, epoch: () => 1 };
  const lane = new Lane({ ...options, acknowledge, replication: { replicas: 1, waitMs: 20 } });
  const answer = lane.call(callFor('a'));
  answer.catch(() => undefined);
  await vi.waitUntil(async () => (await countEntries(redis.client)) === 1);
  await redis.client.config('SET', 'maxmemory', 1);
  await expect(answer).rejects.toBeInstanceOf(OutcomeUnknown);
  await redis.client.config('SET', 'maxmemory', 0);
  expect(acknowledge).not.toHaveBeenCalled();
});

test('P3: what is told is noted before it is told, by its place in the journal', async () => {
  const acknowledge = vi.fn();
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 };
  const lane = new Lane({ ...options, acknowledge });
  await lane.call(callFor('a'));
  await lane.call(callFor('a')); // unchanged: there is no entry
  await lane.call(callFor('b'));
  expect(acknowledge.mock.calls).toEqual([[{ epoch: 1, sequence: 0 }], [{ epoch: 1, sequence: 1 }]]);
});
