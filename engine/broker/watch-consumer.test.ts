import type { Channel } from 'amqplib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchConsumer } from './watch-consumer.ts';

/** A queue and a consumer that do not come together: a race inside RabbitMQ, which no test can bring about at will. */
let waiting = 0;
let delivered = 0;
let hasRoom = true;
let stopping: AbortController;
const starved: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  starved.length = 0;
  [waiting, delivered, hasRoom] = [0, 0, true];
  stopping = new AbortController();
});

afterEach(() => {
  vi.useRealTimers();
});

function watch(checkQueue = async () => ({ messageCount: waiting })): void {
  watchConsumer({
    ...{ channel: { checkQueue } as unknown as Channel, queue: 'q', signal: stopping.signal },
    delivered: () => delivered,
    hasRoom: () => hasRoom,
    onStarved: (reason) => starved.push(reason),
  });
}

test('messages that wait while the consumer has room and gets none are noticed, once', async () => {
  watch();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(starved).toEqual([]);
  waiting = 1;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(starved).toEqual(['messages wait, and none is delivered']);
});

test.each<[string, () => void]>([
  ['is full', () => (hasRoom = false)],
  ['is served', () => (delivered += 1)],
  ['stops', () => stopping.abort()],
])('a consumer that %s starves not', async (_, become) => {
  waiting = 9;
  watch();
  for (let look = 0; look < 30; look++) {
    become();
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(starved).toEqual([]);
});

test('a queue of which RabbitMQ says nothing is given up, too', async () => {
  watch(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(starved).toEqual(['no answer within 10000 ms']);
});
