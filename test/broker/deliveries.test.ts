import { describe, expect, test, vi } from 'vitest';
import type { Verdict } from '../../engine/broker/broker.ts';
import {
  DEAD_LETTER_QUEUE,
  EVENTS_QUEUE,
  EXCHANGE,
  STOCK_RECOVERY_QUEUE,
} from '../../engine/broker/topology.ts';
import { message, numberOf, taking, useLinks, WAIT } from './links.ts';

/** What becomes of a delivery: dead letters, and what is in hand when a process closes its link. */
const links = useLinks();
const { connected, ownQueue, said } = links;

describe('a message that can never be handled', () => {
  const dead = async (): Promise<Verdict> => ({ dead: 'it is no use' });

  test('is among the dead letters, as it was, with the reason, and nowhere else', async () => {
    const broker = await connected();
    const taken = taking(broker, STOCK_RECOVERY_QUEUE, dead);
    const content = Buffer.from([0, 255, 123]);
    const headers = { CC: ['stock.recover'], mine: 'kept', 'x-death': 'feigned' };
    links.outsider.send(EXCHANGE, 'stock.recover', content, {
      ...{ headers, messageId: 'm1', type: 't', contentType: 'text/x' },
      expiration: 60_000,
    });
    await vi.waitUntil(async () => (await links.outsider.depth(DEAD_LETTER_QUEUE)) === 1, WAIT);
    const [letter] = await links.outsider.takeAll(DEAD_LETTER_QUEUE);
    expect(letter!.content).toEqual(content);
    expect(letter!.fields.routingKey).toBe('stock.recover');
    expect(letter!.properties).toMatchObject({
      messageId: 'm1',
      type: 't',
      contentType: 'text/x',
      deliveryMode: 2,
    });
    expect(letter!.properties.expiration).toBeUndefined();
    expect(letter!.properties.headers).toEqual({
      ...{ mine: 'kept', 'x-reason': 'it is no use', 'x-original-queue': STOCK_RECOVERY_QUEUE },
      'x-died-at': expect.stringMatching(/^\d{4}-.*Z$/),
      'x-delivery-count': expect.any(Number), // of the queue that it was taken from
    });
    expect(taken).toHaveLength(1);
    expect(await links.outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(0);
  });

  test('stays in hand until some queue has taken it', async () => {
    const broker = await connected();
    await links.outsider.channel.deleteQueue(DEAD_LETTER_QUEUE);
    taking(broker, STOCK_RECOVERY_QUEUE, dead);
    links.outsider.send(EXCHANGE, 'stock.recover', 'x');
    await vi.waitUntil(() => said('dead letter not taken') > 0, WAIT);
    await vi.waitUntil(() => said('put among the dead letters') > 0, WAIT);
    expect(
      (await links.outsider.takeAll(DEAD_LETTER_QUEUE)).map(({ content }) => content.toString()),
    ).toEqual(['x']);
  });

  test('or whose handling fails again and again, is put there by RabbitMQ', { timeout: 90_000 }, async () => {
    const broker = await connected();
    const taken = taking(broker, STOCK_RECOVERY_QUEUE, async () => {
      throw new Error('a mistake of ours');
    });
    links.outsider.send(EXCHANGE, 'stock.recover', 'x');
    await vi.waitUntil(async () => (await links.outsider.depth(DEAD_LETTER_QUEUE)) === 1, {
      timeout: 60_000,
    });
    const [letter] = await links.outsider.takeAll(DEAD_LETTER_QUEUE);
    expect(letter!.content.toString()).toBe('x');
    expect(letter!.properties.headers!['x-first-death-reason']).toBe('delivery_limit');
    expect(taken.length).toBe(21);
  });
});

describe('closing', () => {
  test('finishes what is in hand and what is not confirmed, and gives back what waits', async () => {
    const queue = await ownQueue('test.close');
    const broker = await connected();
    let finish: (verdict: Verdict) => void = () => undefined;
    const taken = taking(broker, EVENTS_QUEUE, (delivery) =>
      numberOf(delivery) === 1
        ? new Promise((resolve) => {
            finish = resolve;
          })
        : new Promise((_, reject) =>
            delivery.signal.addEventListener('abort', () => reject(new Error('given up'))),
          ),
    );
    await broker.publish(message('event.open', 1));
    await broker.publish(message('event.open', 2));
    await vi.waitUntil(() => taken.length === 2, WAIT);
    const published = Array.from({ length: 500 }, (_, number) =>
      broker.publish(message('test.close', number)),
    );
    const closed = broker.close();
    await vi.waitUntil(() => taken[0]!.signal.aborted, WAIT);
    finish('done');
    await closed;
    await Promise.all(published);
    expect((await links.outsider.takeAll(queue)).length).toBe(500);
    await vi.waitUntil(async () => (await links.outsider.depth(EVENTS_QUEUE)) === 1, WAIT);
    expect((await links.outsider.takeAll(EVENTS_QUEUE)).map(numberOf)).toEqual([2]);
    await expect(broker.publish(message('test.close', 0))).rejects.toThrow(/shutting down/);
  });
});
