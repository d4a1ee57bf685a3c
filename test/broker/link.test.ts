import { afterEach, beforeEach, describe, expect, onTestFailed, test, vi } from 'vitest';
import { type Broker, connectBroker, type Delivery, type Verdict } from '../../engine/broker/broker.ts';
import {
  DEAD_LETTER_QUEUE,
  EVENTS_QUEUE,
  EXCHANGE,
  STOCK_RECOVERY_QUEUE,
} from '../../engine/broker/topology.ts';
import { TcpProxy } from '../faults/rig/tcp-proxy.ts';
import { keptLog } from '../fixtures/kept-log.ts';
import { Outsider, useRabbitMQ } from '../fixtures/rabbitmq.ts';

/** The link of a process to RabbitMQ, with a real server that goes away, cuts, closes, and loses its queues. */
const rabbitmq = useRabbitMQ();
const WAIT = { timeout: 30_000 };
const open: Broker[] = [];
let outsider: Outsider;
let log: ReturnType<typeof keptLog>;

beforeEach(async () => {
  log = keptLog();
  onTestFailed(() => console.error(log.lines.map((line) => JSON.stringify(line)).join('\n')));
  await connected(link()); // declares what may be missing
  outsider = await Outsider.of(rabbitmq);
  await outsider.emptyQueues();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((broker) => broker.close()));
  await outsider.close();
});

function link(url = rabbitmq.url): Broker {
  const broker = connectBroker({ url, kind: 'test', logger: log.logger });
  open.push(broker);
  return broker;
}

async function connected(broker: Broker): Promise<Broker> {
  await vi.waitUntil(() => broker.isConnected, WAIT);
  return broker;
}

/** A test's queue of its own, bound to what only it publishes. */
async function ownQueue(routingKey: string): Promise<string> {
  const { queue } = await outsider.channel.assertQueue(`test.${routingKey}`, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum' },
  });
  await outsider.channel.bindQueue(queue, EXCHANGE, routingKey);
  await outsider.channel.purgeQueue(queue);
  return queue;
}

const message = (routingKey: string, number: number) => ({
  routingKey,
  body: { number },
  messageId: `m${number}`,
});
const numberOf = ({ content }: { content: Buffer }): number => JSON.parse(content.toString()).number;

/** Consumes a queue of ours; keeps what it was given. */
function taking(
  broker: Broker,
  queue: string,
  handle: (delivery: Delivery) => Promise<Verdict> = async () => 'done',
) {
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

const said = (text: string) => log.lines.filter(({ msg }) => msg.includes(text)).length;

/** Publishes it until RabbitMQ has confirmed it. */
async function publishSurely(broker: Broker, ...about: Parameters<typeof message>): Promise<void> {
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

describe('publishing', () => {
  test('is done when RabbitMQ has the message, on disk, as it was given', async () => {
    const queue = await ownQueue('test.one');
    const broker = await connected(link());
    const headers = { 'x-sku': '한글' };
    await broker.publish({ ...message('test.one', 7), type: 'test', headers });
    const [taken] = await outsider.takeAll(queue);
    expect(taken!.properties).toMatchObject({
      ...{ deliveryMode: 2, contentType: 'application/json', messageId: 'm7', type: 'test', headers },
    });
    expect(numberOf(taken!)).toBe(7);
  });

  test('keeps the order of the calls, past the bound of what may be unconfirmed', async () => {
    const queue = await ownQueue('test.order');
    const broker = await connected(link());
    const numbers = Array.from({ length: 5_000 }, (_, number) => number);
    await Promise.all(numbers.map((number) => broker.publish(message('test.order', number))));
    expect((await outsider.takeAll(queue)).map(numberOf)).toEqual(numbers);
  });

  test('rejects what no queue takes, if one must, and what is no JSON', async () => {
    const broker = await connected(link());
    await broker.publish(message('test.nobody', 1));
    const mandatory = { ...message('test.nobody', 2), mandatory: true };
    await expect(broker.publish(mandatory)).rejects.toThrow(/no queue takes "test.nobody"/);
    await expect(broker.publish({ ...mandatory, body: 1n })).rejects.toThrow(/no JSON/);
    await expect(broker.publish({ ...mandatory, messageId: 'm'.repeat(256) })).rejects.toThrow(/not sent/);
    await broker.publish(message('test.nobody', 3));
  });

  test('waits while RabbitMQ is short of memory', async () => {
    const queue = await ownQueue('test.memory');
    const broker = await connected(link());
    await rabbitmq.control('set_vm_memory_high_watermark', '0.0000001');
    await vi.waitUntil(() => {
      void broker.publish(message('test.memory', 0)).catch(() => undefined);
      return said('short of memory') > 0;
    }, WAIT);
    let isDone = false;
    const published = broker.publish(message('test.memory', 1)).then(() => {
      isDone = true;
    });
    await rabbitmq.control('list_queues', 'name'); // takes a second
    expect(isDone).toBe(false);
    await rabbitmq.control('set_vm_memory_high_watermark', '0.4');
    await published;
    expect((await outsider.takeAll(queue)).map(numberOf)).toContain(1);
  });
});

describe('a RabbitMQ that is killed and comes back', () => {
  test('has all that it confirmed, in order, and what was in hand comes again', {
    timeout: 120_000,
  }, async () => {
    const queue = await ownQueue('test.kill');
    // RabbitMQ 3.10 writes down where a queue's log lies a moment after it has declared it: killed before, it never starts it again.
    await rabbitmq.restart();
    const broker = await connected(link());
    const another = await connected(link());
    let holds = true;
    const taken = taking(another, EVENTS_QUEUE, async ({ signal }) => {
      if (holds)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return 'done';
    });
    await broker.publish(message('event.open', 99));
    await vi.waitUntil(() => taken.length === 1);

    const confirmed: number[] = [];
    const killed = new Promise<void>((resolve, reject) => {
      setTimeout(() => void rabbitmq.kill().then(resolve, reject), 300);
    });
    for (let number = 0; broker.isConnected; number++) {
      const published = broker.publish(message('test.kill', number)).then(
        () => confirmed.push(number),
        (error) => expect(error.name).toBe('NotPublished'),
      );
      if (number % 50 === 0) await published;
    }
    await killed;
    expect(confirmed.length).toBeGreaterThan(0);
    await expect(broker.publish(message('test.kill', -1))).rejects.toThrow(/no connection/);
    holds = false;
    await rabbitmq.start();
    await connected(broker);
    await outsider.close();
    outsider = await Outsider.of(rabbitmq);

    await publishSurely(broker, 'test.kill', 1_000_000);
    const kept = (await outsider.takeAll(queue)).map(numberOf);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(new Set(kept)).toEqual(new Set([...kept, ...confirmed, 1_000_000]));
    await vi.waitUntil(() => taken.length === 2, WAIT);
    expect(taken.map(({ isRedelivered }) => isRedelivered)).toEqual([false, true]);
    await vi.waitUntil(async () => (await outsider.depth(EVENTS_QUEUE)) === 0, WAIT);
    // Of the one in `beforeEach` thrice at most, of both twice; a restart may be over before somebody notices.
    expect(said('RabbitMQ connected')).toBeLessThanOrEqual(7);
  });
});

describe('a connection', () => {
  test('carries the name of its process', async () => {
    await connected(link());
    const rows = await rabbitmq.control('list_connections', 'client_properties');
    expect(rows).toContain('bootakhae-test');
  });

  test('that RabbitMQ closes comes back, with what it consumes', async () => {
    const broker = await connected(link());
    const taken = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => taken.length === 1, WAIT);
    await rabbitmq.control('close_all_connections', 'a test closes it');
    await vi.waitUntil(() => said('RabbitMQ is away') > 0, WAIT);
    expect(log.lines.some(({ error }) => String(error).includes('a test closes it'))).toBe(true);
    await connected(broker);
    await publishSurely(broker, 'event.open', 2);
    await vi.waitUntil(() => taken.map(numberOf).includes(2), WAIT);
    outsider = await Outsider.of(rabbitmq);
  });

  test.each(['cut', 'reset', 'swallowed', 'stalled', 'half-way'] as const)(
    'whose network is %s comes back, and loses nothing that was confirmed',
    { timeout: 90_000 },
    async (weather) => {
      const queue = await ownQueue(`test.${weather}`);
      const proxy = await TcpProxy.start(rabbitmq.server.port);
      const broker = await connected(link(proxy.inFrontOf(rabbitmq.url)));
      const taken = taking(broker, EVENTS_QUEUE);
      await publishSurely(broker, 'event.close', 1);
      await vi.waitUntil(() => taken.length === 1, WAIT);

      const numbers = Array.from({ length: 200 }, (_, number) => number);
      const surely = numbers.map((number) => publishSurely(broker, `test.${weather}`, number));
      await proxy.set(weather);
      if (weather !== 'half-way') await vi.waitUntil(() => !broker.isConnected, WAIT);
      await proxy.set('pass');
      await Promise.all(surely);
      expect(new Set((await outsider.takeAll(queue)).map(numberOf))).toEqual(new Set(numbers));

      await publishSurely(broker, 'event.close', 2);
      await vi.waitUntil(() => taken.map(numberOf).includes(2), WAIT);
      await broker.close();
      await proxy.stop();
    },
  );

  test('to a RabbitMQ that is not there is said once, and closes in order', async () => {
    const proxy = await TcpProxy.start(rabbitmq.server.port);
    await proxy.set('cut');
    const broker = link(proxy.inFrontOf(rabbitmq.url));
    taking(broker, EVENTS_QUEUE);
    await vi.waitUntil(() => said('RabbitMQ is away') === 1, WAIT);
    await expect(broker.publish(message('test.away', 1))).rejects.toThrow(/no connection/);
    const before = log.lines.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // several more attempts
    expect(log.lines.length).toBe(before);
    await broker.close();
    await proxy.stop();
  });
});

describe('a channel that RabbitMQ closes', () => {
  test('because of an unknown exchange opens again, and nobody else notices', async () => {
    const broker = await connected(link());
    let letGo: (verdict: Verdict) => void = () => undefined;
    const taken = taking(
      broker,
      EVENTS_QUEUE,
      () =>
        new Promise((resolve) => {
          letGo = resolve;
        }),
    );
    await broker.publish(message('event.open', 1));
    await vi.waitUntil(() => taken.length === 1, WAIT);
    const unknown = broker.publish({ ...message('test.x', 1), exchange: 'nowhere' });
    await expect(unknown).rejects.toThrow(/NOT_FOUND.*nowhere/);
    await publishSurely(broker, 'test.x', 2);
    letGo('done');
    await vi.waitUntil(
      async () => (await rabbitmq.control('list_queues', 'name', 'messages')).includes(`${EVENTS_QUEUE}\t0`),
      WAIT,
    );
    expect(taken).toHaveLength(1);
    expect(said('RabbitMQ is away')).toBe(0);
  });

  test('with its exchange and its queue declares them again', async () => {
    const broker = await connected(link());
    const taken = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => taken.length === 1, WAIT);
    await outsider.channel.deleteExchange(EXCHANGE);
    await vi.waitUntil(async () => {
      await publishSurely(broker, 'event.open', 2);
      return taken.length > 1;
    }, WAIT);
  });

  test('because its queue is deleted declares and consumes it again', async () => {
    const broker = await connected(link());
    const taken = taking(broker, STOCK_RECOVERY_QUEUE);
    for (const number of [1, 2, 3]) {
      await vi.waitUntil(async () => {
        await broker.publish({ ...message('stock.recover', number), mandatory: true }).catch(() => undefined);
        return taken.map(numberOf).includes(number);
      }, WAIT);
      await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    }
  });

  test('because its queue is another than ours says what to do, and spares the other queue', async () => {
    await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await outsider.channel.assertQueue(STOCK_RECOVERY_QUEUE, { durable: true });
    const broker = await connected(link());
    const recoveries = taking(broker, STOCK_RECOVERY_QUEUE);
    const events = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => events.length === 1, WAIT);
    await vi.waitUntil(() => said('channel lost') > 0, WAIT);
    const line = log.lines.find(({ msg }) => msg.includes('channel lost'))!;
    expect(line.error).toMatch(
      /"bootakhae.stock-recovery" is there with other properties.*rabbitmqctl delete_queue/,
    );
    expect(recoveries).toEqual([]);

    await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await vi.waitUntil(async () => {
      await broker.publish({ ...message('stock.recover', 1), mandatory: true }).catch(() => undefined);
      return recoveries.length > 0;
    }, WAIT);
    expect(said('channel lost')).toBe(1);
  });
});

describe('a message that can never be handled', () => {
  const dead = async (): Promise<Verdict> => ({ dead: 'it is no use' });

  test('is among the dead letters, as it was, with the reason, and nowhere else', async () => {
    const broker = await connected(link());
    const taken = taking(broker, STOCK_RECOVERY_QUEUE, dead);
    const content = Buffer.from([0, 255, 123]);
    const headers = { CC: ['stock.recover'], mine: 'kept', 'x-death': 'feigned' };
    outsider.send(EXCHANGE, 'stock.recover', content, {
      ...{ headers, messageId: 'm1', type: 't', contentType: 'text/x' },
      expiration: 60_000,
    });
    await vi.waitUntil(async () => (await outsider.depth(DEAD_LETTER_QUEUE)) === 1, WAIT);
    const [letter] = await outsider.takeAll(DEAD_LETTER_QUEUE);
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
      'x-delivery-count': expect.any(Number), // of the queue that it was taken from
    });
    expect(taken).toHaveLength(1);
    expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(0);
  });

  test('stays in hand until some queue has taken it', async () => {
    const broker = await connected(link());
    await outsider.channel.deleteQueue(DEAD_LETTER_QUEUE);
    taking(broker, STOCK_RECOVERY_QUEUE, dead);
    outsider.send(EXCHANGE, 'stock.recover', 'x');
    await vi.waitUntil(() => said('dead letter not taken') > 0, WAIT);
    await vi.waitUntil(() => said('put among the dead letters') > 0, WAIT);
    expect((await outsider.takeAll(DEAD_LETTER_QUEUE)).map(({ content }) => content.toString())).toEqual([
      'x',
    ]);
  });

  test('or whose handling fails again and again, is put there by RabbitMQ', { timeout: 90_000 }, async () => {
    const broker = await connected(link());
    const taken = taking(broker, STOCK_RECOVERY_QUEUE, async () => {
      throw new Error('a mistake of ours');
    });
    outsider.send(EXCHANGE, 'stock.recover', 'x');
    await vi.waitUntil(async () => (await outsider.depth(DEAD_LETTER_QUEUE)) === 1, { timeout: 60_000 });
    const [letter] = await outsider.takeAll(DEAD_LETTER_QUEUE);
    expect(letter!.content.toString()).toBe('x');
    expect(letter!.properties.headers!['x-first-death-reason']).toBe('delivery_limit');
    expect(taken.length).toBe(21);
  });
});

describe('closing', () => {
  test('finishes what is in hand and what is not confirmed, and gives back what waits', async () => {
    const queue = await ownQueue('test.close');
    const broker = await connected(link());
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
    expect((await outsider.takeAll(queue)).length).toBe(500);
    await vi.waitUntil(async () => (await outsider.depth(EVENTS_QUEUE)) === 1, WAIT);
    expect((await outsider.takeAll(EVENTS_QUEUE)).map(numberOf)).toEqual([2]);
    await expect(broker.publish(message('test.close', 0))).rejects.toThrow(/shutting down/);
  });
});
