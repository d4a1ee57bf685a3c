import { describe, expect, test, vi } from 'vitest';
import type { Verdict } from '../../engine/broker/broker.ts';
import { EVENTS_QUEUE, EXCHANGE, STOCK_RECOVERY_QUEUE } from '../../engine/broker/topology.ts';
import { TcpProxy } from '../faults/rig/tcp-proxy.ts';
import { message, numberOf, publishSurely, taking, useLinks, WAIT } from './links.ts';

/** The link of a process to RabbitMQ, with a real server that goes away, cuts, closes, and loses its queues. */
const links = useLinks();
const { rabbitmq, link, connected, ownQueue, said } = links;

describe('publishing', () => {
  test('is done when RabbitMQ has the message, on disk, as it was given', async () => {
    const queue = await ownQueue('test.one');
    const broker = await connected();
    const headers = { 'x-sku': '한글' };
    await broker.publish({ ...message('test.one', 7), type: 'test', headers });
    const [taken] = await links.outsider.takeAll(queue);
    expect(taken!.properties).toMatchObject({
      ...{ deliveryMode: 2, contentType: 'application/json', messageId: 'm7', type: 'test', headers },
    });
    expect(numberOf(taken!)).toBe(7);
  });

  test('keeps the order of the calls, past the bound of what may be unconfirmed', async () => {
    const queue = await ownQueue('test.order');
    const broker = await connected();
    const numbers = Array.from({ length: 5_000 }, (_, number) => number);
    await Promise.all(numbers.map((number) => broker.publish(message('test.order', number))));
    expect((await links.outsider.takeAll(queue)).map(numberOf)).toEqual(numbers);
  });

  test('rejects what no queue takes, if one must, and what is no JSON', async () => {
    const broker = await connected();
    await broker.publish(message('test.nobody', 1));
    const mandatory = { ...message('test.nobody', 2), mandatory: true };
    await expect(broker.publish(mandatory)).rejects.toThrow(/no queue takes "test.nobody"/);
    await expect(broker.publish({ ...mandatory, body: 1n })).rejects.toThrow(/no JSON/);
    await expect(broker.publish({ ...mandatory, messageId: 'm'.repeat(256) })).rejects.toThrow(/not sent/);
    await broker.publish(message('test.nobody', 3));
  });

  test('waits while RabbitMQ is short of memory', async () => {
    const queue = await ownQueue('test.memory');
    const broker = await connected();
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
    expect((await links.outsider.takeAll(queue)).map(numberOf)).toContain(1);
  });
});

describe('a RabbitMQ that is killed and comes back', () => {
  test('has all that it confirmed, in order, and what was in hand comes again', {
    timeout: 120_000,
  }, async () => {
    const queue = await ownQueue('test.kill');
    await rabbitmq.saveQueueNames();
    const broker = await connected();
    const another = await connected();
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
    await links.reconnectOutsider();

    await publishSurely(broker, 'test.kill', 1_000_000);
    const kept = (await links.outsider.takeAll(queue)).map(numberOf);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(new Set(kept)).toEqual(new Set([...kept, ...confirmed, 1_000_000]));
    await vi.waitUntil(() => taken.length === 2, WAIT);
    expect(taken.map(({ isRedelivered }) => isRedelivered)).toEqual([false, true]);
    await vi.waitUntil(async () => (await links.outsider.depth(EVENTS_QUEUE)) === 0, WAIT);
    // Of the one in `beforeEach` thrice at most, of both twice; a restart may be over before somebody notices.
    expect(said('RabbitMQ connected')).toBeLessThanOrEqual(7);
  });
});

describe('a connection', () => {
  test('carries the name of its process', async () => {
    await connected();
    const rows = await rabbitmq.control('list_connections', 'client_properties');
    expect(rows).toContain('bootakhae-test');
  });

  test('that RabbitMQ closes comes back, with what it consumes', async () => {
    const broker = await connected();
    const taken = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => taken.length === 1, WAIT);
    await rabbitmq.control('close_all_connections', 'a test closes it');
    await vi.waitUntil(() => said('RabbitMQ is away') > 0, WAIT);
    expect(links.lines.some(({ error }) => String(error).includes('a test closes it'))).toBe(true);
    await connected(broker);
    await publishSurely(broker, 'event.open', 2);
    await vi.waitUntil(() => taken.map(numberOf).includes(2), WAIT);
    await links.reconnectOutsider();
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
      expect(new Set((await links.outsider.takeAll(queue)).map(numberOf))).toEqual(new Set(numbers));

      await publishSurely(broker, 'event.close', 2);
      await vi.waitUntil(() => taken.map(numberOf).includes(2), WAIT);
      await broker.close();
      await proxy.stop();
    },
  );

  test('to a RabbitMQ that lets nobody in is said once, however often it is tried, and closes in order', async () => {
    const proxy = await TcpProxy.start(rabbitmq.server.port);
    await proxy.set('reset');
    const broker = link(proxy.inFrontOf(rabbitmq.url));
    taking(broker, EVENTS_QUEUE);
    await vi.waitUntil(() => said('RabbitMQ is away') === 1, WAIT);
    await expect(broker.publish(message('test.away', 1))).rejects.toThrow(/no connection/);
    const before = { lines: links.lines.length, attempts: proxy.accepted };
    await vi.waitUntil(() => proxy.accepted >= before.attempts + 3, WAIT);
    expect(links.lines.length).toBe(before.lines);
    await broker.close();
    await proxy.stop();
  });
});

describe('a channel that RabbitMQ closes', () => {
  test('because of an unknown exchange opens again, and nobody else notices', async () => {
    const broker = await connected();
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
    const broker = await connected();
    const taken = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => taken.length === 1, WAIT);
    await links.outsider.channel.deleteExchange(EXCHANGE);
    await vi.waitUntil(async () => {
      await publishSurely(broker, 'event.open', 2);
      return taken.length > 1;
    }, WAIT);
  });

  test('because its queue is deleted declares and consumes it again', async () => {
    const broker = await connected();
    const taken = taking(broker, STOCK_RECOVERY_QUEUE);
    for (const number of [1, 2, 3]) {
      await vi.waitUntil(async () => {
        await broker.publish({ ...message('stock.recover', number), mandatory: true }).catch(() => undefined);
        return taken.map(numberOf).includes(number);
      }, WAIT);
      await links.outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    }
  });

  test('because its queue has no leader says which, and goes on when it has one', async () => {
    await rabbitmq.takeLeader(STOCK_RECOVERY_QUEUE);
    const broker = await connected();
    const taken = taking(broker, STOCK_RECOVERY_QUEUE);
    await vi.waitUntil(() => said('channel lost') > 0, WAIT);
    const line = links.lines.find(({ msg }) => msg.includes('channel lost'))!;
    expect(line.purpose).toBe(`consume ${STOCK_RECOVERY_QUEUE}`);
    await rabbitmq.giveLeader(STOCK_RECOVERY_QUEUE);
    await vi.waitUntil(async () => {
      await broker.publish({ ...message('stock.recover', 1), mandatory: true }).catch(() => undefined);
      return taken.length > 0;
    }, WAIT);
  });

  test('because its queue is another than ours says what to do, and spares the other queue', async () => {
    await links.outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await links.outsider.channel.assertQueue(STOCK_RECOVERY_QUEUE, { durable: true });
    const broker = await connected();
    const recoveries = taking(broker, STOCK_RECOVERY_QUEUE);
    const events = taking(broker, EVENTS_QUEUE);
    await publishSurely(broker, 'event.open', 1);
    await vi.waitUntil(() => events.length === 1, WAIT);
    await vi.waitUntil(() => said('channel lost') > 0, WAIT);
    const line = links.lines.find(({ msg }) => msg.includes('channel lost'))!;
    expect(line.error).toMatch(
      /"bootakhae.stock-recovery" is there with other properties.*rabbitmqctl delete_queue/,
    );
    expect(recoveries).toEqual([]);

    await links.outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await vi.waitUntil(async () => {
      await broker.publish({ ...message('stock.recover', 1), mandatory: true }).catch(() => undefined);
      return recoveries.length > 0;
    }, WAIT);
    expect(said('channel lost')).toBe(1);
  });
});
