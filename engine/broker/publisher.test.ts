import { EventEmitter } from 'node:events';
import type { ConfirmChannel } from 'amqplib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Publisher } from './publisher.ts';

/** What RabbitMQ does seldom: it confirms never, it is full, it refuses. What it does often is tested with a real one. */
type Confirm = (error: Error | null) => void;

class FakeChannel extends EventEmitter {
  readonly sent: { routingKey: string; confirm: Confirm }[] = [];
  hasRoom = true;

  publish(
    _exchange: string,
    routingKey: string,
    _content: Buffer,
    _options: object,
    confirm: Confirm,
  ): boolean {
    this.sent.push({ routingKey, confirm });
    return this.hasRoom;
  }
}

let channel: FakeChannel;
let isBlocked = false;
const overdue: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  channel = new FakeChannel();
  isBlocked = false;
  overdue.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

function publisherOn(opened: FakeChannel): Publisher {
  const publisher = new Publisher({
    onUnroutable: () => undefined,
    onOverdue: (late) => overdue.push(late),
    isBlocked: () => isBlocked,
  });
  publisher.attach(opened as unknown as ConfirmChannel);
  return publisher;
}

const message = (routingKey: string) => ({
  ...{ exchange: 'x', routingKey, content: Buffer.from('{}') },
  options: { messageId: routingKey },
});

const keysSent = () => channel.sent.map(({ routingKey }) => routingKey);

describe('a confirmation that does not come', () => {
  test('is given up after ten seconds, and everything behind it', async () => {
    const publisher = publisherOn(channel);
    const [late, inTime] = ['a', 'b'].map((key) => publisher.publish(message(key)));
    const rejection = expect(late).rejects.toThrow(/no confirmation within 10000 ms/);
    channel.sent[1]!.confirm(null);
    await inTime;
    const behind = expect(publisher.publish(message('c'))).rejects.toThrow(/no confirmation/);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(overdue).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(overdue).toEqual([channel]);
    await Promise.all([rejection, behind]);
    expect(publisher.isReady).toBe(false);
  });

  test('is waited for as long as RabbitMQ says that it takes nothing', async () => {
    const publisher = publisherOn(channel);
    const published = publisher.publish(message('a'));
    isBlocked = true;
    await vi.advanceTimersByTimeAsync(3_600_000);
    isBlocked = false;
    await vi.advanceTimersByTimeAsync(9_000);
    expect(overdue).toEqual([]);
    channel.sent[0]!.confirm(null);
    await published;
    await publisher.finish();
  });
});

test('what finds the channel full waits until there is room, in order', async () => {
  const publisher = publisherOn(channel);
  channel.hasRoom = false;
  for (const key of ['a', 'b', 'c']) void publisher.publish(message(key));
  expect(keysSent()).toEqual(['a']);
  channel.emit('drain');
  expect(keysSent()).toEqual(['a', 'b']);
  channel.hasRoom = true;
  channel.emit('drain');
  expect(keysSent()).toEqual(['a', 'b', 'c']);
});

test('a message that RabbitMQ refuses rejects alone', async () => {
  const publisher = publisherOn(channel);
  const [first, second] = ['a', 'b'].map((key) => publisher.publish(message(key)));
  channel.sent[0]!.confirm(new Error('message nacked'));
  channel.sent[1]!.confirm(null);
  await expect(first).rejects.toThrow(/refused by RabbitMQ: message nacked/);
  await second;
});

test('never more than a thousand are without confirmation', async () => {
  const publisher = publisherOn(channel);
  const keys = Array.from({ length: 1_500 }, (_, number) => String(number));
  const published = keys.map((key) => publisher.publish(message(key)));
  expect(channel.sent).toHaveLength(1_000);
  for (const { confirm } of channel.sent.slice(0, 10)) confirm(null);
  expect(channel.sent).toHaveLength(1_010);
  for (let at = 10; at < 1_500; at++) channel.sent[at]!.confirm(null);
  await Promise.all(published);
  expect(keysSent()).toEqual(keys);
});
