import { afterEach, beforeEach, expect, onTestFailed, vi } from 'vitest';
import { type Broker, connectBroker, type Delivery, type Verdict } from '../../engine/broker/broker.ts';
import { EXCHANGE } from '../../engine/broker/topology.ts';
import { keptLog } from '../fixtures/kept-log.ts';
import { Outsider, useRabbitMQ } from '../fixtures/rabbitmq.ts';

export const WAIT = { timeout: 30_000 };

export const message = (routingKey: string, number: number) => ({
  routingKey,
  body: { number },
  messageId: `m${number}`,
});

export const numberOf = ({ content }: { content: Buffer }): number => JSON.parse(content.toString()).number;

/**
 * A RabbitMQ for the tests of a file, with nothing in our queues before each of them; links of processes to it, which
 * are closed after each, what they log, and somebody who looks at the queues from outside.
 */
export function useLinks() {
  const rabbitmq = useRabbitMQ();
  const opened: Broker[] = [];
  let outsider: Outsider;
  let log: ReturnType<typeof keptLog>;

  function link(url = rabbitmq.url): Broker {
    const broker = connectBroker({ url, kind: 'test', logger: log.logger });
    opened.push(broker);
    return broker;
  }

  async function connected(broker = link()): Promise<Broker> {
    await vi.waitUntil(() => broker.isConnected, WAIT);
    return broker;
  }

  beforeEach(async () => {
    log = keptLog();
    onTestFailed(() => console.error(log.lines.map((line) => JSON.stringify(line)).join('\n')));
    await connected(); // declares what may be missing
    outsider = await Outsider.of(rabbitmq);
    await outsider.emptyQueues();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((broker) => broker.close()));
    await outsider.close();
  });

  return {
    rabbitmq,
    link,
    connected,

    get outsider(): Outsider {
      return outsider;
    },

    get lines() {
      return log.lines;
    },

    /** How many lines were logged that have this text. */
    said: (text: string) => log.lines.filter(({ msg }) => msg.includes(text)).length,

    /** The outsider lost its connection as well. */
    async reconnectOutsider(): Promise<void> {
      await outsider.close();
      outsider = await Outsider.of(rabbitmq);
    },

    /** A test's queue of its own, bound to what only it publishes. */
    async ownQueue(routingKey: string): Promise<string> {
      const { queue } = await outsider.channel.assertQueue(`test.${routingKey}`, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum' },
      });
      await outsider.channel.bindQueue(queue, EXCHANGE, routingKey);
      await outsider.channel.purgeQueue(queue);
      return queue;
    },
  };
}

/** Consumes a queue of ours; keeps what it was given. */
export function taking(
  broker: Broker,
  queue: string,
  handle: (delivery: Delivery) => Promise<Verdict> = async () => 'done',
): Delivery[] {
  const taken: Delivery[] = [];
  broker.consume({
    queue,
    prefetch: 8,
    handle(delivery) {
      taken.push(delivery);
      return handle(delivery);
    },
  });
  return taken;
}

/** Publishes it until RabbitMQ has confirmed it. */
export async function publishSurely(broker: Broker, ...about: Parameters<typeof message>): Promise<void> {
  for (;;) {
    const error = await broker.publish(message(...about)).then(
      () => null,
      (error: Error) => error,
    );
    if (!error) return;
    expect(error.name).toBe('NotPublished');
    await vi.waitUntil(() => broker.isConnected, WAIT);
  }
}
