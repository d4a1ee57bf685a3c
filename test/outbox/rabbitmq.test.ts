import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Broker, connectBroker } from '../../engine/broker/broker.ts';
import { EXCHANGE } from '../../engine/broker/topology.ts';
import { connectDatabase, WRITING_SESSION } from '../../engine/database/database.ts';
import { OUTWARD_TYPES } from '../../engine/outbox/outward-message.ts';
import { OutboxPublisher } from '../../engine/outbox/publisher.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { createLogger } from '../../engine/runtime/logger.ts';
import { Outsider, useRabbitMQ } from '../fixtures/rabbitmq.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { expectedOf, linesOf, type Received } from './expected-messages.ts';
import { TradingShop } from './trading-shop.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const LOW = 10;
const QUEUE = 'the world';
const PATIENCE = { timeout: 60_000, interval: 50 };
const redis = useRedis();
const maria = useDatabase();
const rabbitmq = useRabbitMQ();
const random = new SeededRandom(SEED);
const logger = createLogger('test', 'silent');
const ends: (() => Promise<unknown>)[] = [];
let shop: TradingShop;

beforeAll(async () => {
  shop = new TradingShop(redis.client, maria.database, random);
  await shop.begin();
});

afterAll(async () => {
  await Promise.all(ends.map((end) => end().catch(() => undefined)));
});

/** A publisher as a process of its own would have it. */
function startPublisher() {
  const database = connectDatabase(maria.url, 2, WRITING_SESSION);
  const broker = connectBroker({ url: rabbitmq.url, kind: 'test', logger });
  const left = { messages: Number.POSITIVE_INFINITY };
  const publish: Broker['publish'] = async (message) => {
    left.messages -= 1;
    if (left.messages === 0) die();
    if (left.messages <= 0) return await new Promise(() => undefined);
    await broker.publish(message);
  };
  const publisher = new OutboxPublisher({ database, clock: systemClock, logger, lowUnits: LOW, publish });
  const state = { isDead: false };
  /** Nothing it does reaches anybody any more. */
  function die(): void {
    state.isDead = true;
    void database.close();
    void broker.close();
  }
  publisher.start();
  ends.push(async () => {
    await publisher.stop();
    if (state.isDead) return;
    await broker.close();
    await database.close();
  });
  return { publisher, state, dieAfter: (messages: number) => Object.assign(left, { messages }) };
}

async function listen(): Promise<Outsider> {
  const world = await Outsider.of(rabbitmq);
  await world.channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  await world.channel.assertQueue(QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  for (const type of OUTWARD_TYPES) await world.channel.bindQueue(QUEUE, EXCHANGE, type);
  return world;
}

const untilTold = () =>
  vi.waitUntil(async () => {
    const [{ count }] = await maria.database.pool.query('select count(*) as count from outbox');
    return count === 0;
  }, PATIENCE);

test('P4: whatever becomes of RabbitMQ and of publishers, all is told, and each queue has it in order', async () => {
  await listen();
  const first = startPublisher();
  await shop.trade(60);
  await untilTold();

  await rabbitmq.saveQueueNames();
  await rabbitmq.kill();
  await shop.trade(60);
  expect(first.publisher.status.hasLease).toBe(true);
  await rabbitmq.start();
  await untilTold();

  const second = startPublisher();
  await vi.waitUntil(() => second.publisher.status.mode === 'STANDBY', PATIENCE);
  first.dieAfter(25);
  await shop.trade(60);
  await vi.waitUntil(() => first.state.isDead, PATIENCE);
  await maria.database.pool.query("update leases set until = '2000-01-01'");
  await untilTold();

  const killing = rabbitmq.kill();
  await shop.trade(30);
  await killing;
  await rabbitmq.start();
  await shop.trade(30);
  await untilTold();

  const world = await listen();
  const received: Received[] = (await world.takeAll(QUEUE)).map(({ properties, fields, content }) => {
    const { messageId, type, contentType, deliveryMode } = properties;
    expect({ type, contentType, deliveryMode }).toEqual({
      type: fields.routingKey,
      contentType: 'application/json',
      deliveryMode: 2,
    });
    const body = JSON.parse(content.toString());
    expect(body).toMatchObject({ id: messageId, type });
    return { messageId, type, body };
  });
  expect(linesOf(received), `seed ${SEED}`).toEqual(expectedOf(await shop.journal(), LOW));
}, 240_000);
