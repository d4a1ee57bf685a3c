import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectBroker } from '../../engine/broker/broker.ts';
import { DEAD_LETTER_QUEUE, EXCHANGE, STOCK_RECOVERY_QUEUE } from '../../engine/broker/topology.ts';
import { MAX_BODY_BYTES } from '../../engine/consumers/message.ts';
import { stockRecovery } from '../../engine/consumers/stock-recovery.ts';
import { connectDatabase } from '../../engine/database/database.ts';
import { MAX_REASON_CHARACTERS } from '../../engine/domain/bounds.ts';
import { Gate } from '../../engine/journal/gate.ts';
import { findOrder } from '../../engine/journal/order-finder.ts';
import { Batcher } from '../../engine/redis/batcher.ts';
import { createRedisClient } from '../../engine/redis/client.ts';
import { settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { TcpProxy } from '../faults/rig/tcp-proxy.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { keptLog } from '../fixtures/kept-log.ts';
import { Outsider, useRabbitMQ } from '../fixtures/rabbitmq.ts';
import { useApi } from '../fixtures/running-api.ts';

/** Another service asks for the units of an order: whatever its state and age, they go back once. */
const rabbitmq = useRabbitMQ();
const api = useApi();
const WAIT = { timeout: 30_000 };
const STOCK = 1_000;
const HOLD_SECONDS = 2;
const UNKNOWN = '0001ZZZZZZZZZ000';
const closers: (() => Promise<void>)[] = [];
let holding: { url: string };
let outsider: Outsider;
let log: ReturnType<typeof keptLog>;
let sku: string;
let products = 0;

beforeAll(async () => {
  const broker = connectBroker({ url: rabbitmq.url, kind: 'test', logger: keptLog().logger });
  await vi.waitUntil(() => broker.isConnected, WAIT); // the queues are declared
  await broker.close();
  outsider = await Outsider.of(rabbitmq);
  holding = await api.startAnother({ HOLD_SECONDS: String(HOLD_SECONDS) });
});

beforeEach(async () => {
  log = keptLog();
  await outsider.emptyQueues();
  products += 1;
  sku = `product ${products}`;
  await api.put(sku, { stock: STOCK });
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A process that recovers stock; `redisUrl` and `databaseUrl` by way of a proxy, if the test wants one. */
async function startRecovery({
  redisUrl = api.environment.REDIS_URL!,
  databaseUrl = api.environment.DATABASE_URL!,
} = {}) {
  const { logger } = log;
  const redis = createRedisClient(redisUrl, () => undefined);
  const database = connectDatabase(databaseUrl, 2);
  const gate = new Gate({ redis, database, logger, needs: { appendfsync: 'always' } });
  const settlements = new Batcher({
    ...{ redis, clock: systemClock, deadlineMs: 5_000, command: settleOrders },
    epoch: () => gate.epoch(),
    bounds: { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 10_000, waitMs: 5_000, lanes: 1 },
  });
  const broker = connectBroker({ url: rabbitmq.url, kind: 'test', logger });
  closers.push(async () => {
    await broker.close();
    await settlements.drain();
    gate.stop();
    redis.disconnect();
    await database.close();
  });
  gate.start();
  await gate.whenOpen(10_000);
  broker.consume(
    stockRecovery({
      findOrder: (id) => findOrder(redis, database, id),
      settleOrder: (request, options) => settlements.submit(request, options),
      epoch: () => gate.epoch(),
      logger,
    }),
  );
  await vi.waitUntil(() => broker.isConnected, WAIT);
  return gate;
}

const place = async (quantity = 2) => (await api.order('mina', [{ sku, quantity }])).body.id as string;

async function hold(quantity = 2): Promise<string> {
  const options = { method: 'POST', token: tokenFor('mina'), body: { items: [{ sku, quantity }] } };
  const { body } = await call(`${holding.url}/api/v1/orders`, options);
  expect(body.status).toBe('held');
  return body.id;
}

const cancel = (id: string) =>
  api.call(`/api/v1/orders/${id}/cancel`, { method: 'POST', token: tokenFor('mina') });
const statusOf = async (id: string) =>
  (await api.call(`/api/v1/orders/${id}`, { token: tokenFor('mina') })).body.status as string;

const recover = (orderId: string, reason = 'the parcel came back') =>
  outsider.send(EXCHANGE, 'stock.recover', JSON.stringify({ orderId, reason, by: 'the warehouse' }));

/** Every message was handled, and none of them is waiting or among the dead letters. */
async function untilHandled(count: number): Promise<void> {
  await vi.waitUntil(() => recovered().length >= count, WAIT);
  await expectQueues({ waiting: 0, dead: 0 });
}

const recovered = () => log.lines.filter(({ msg }) => msg === 'stock recovered');

/** Nothing is in anybody's hand either: a closed consumer gives it back. */
async function expectQueues({ waiting, dead }: { waiting: number; dead: number }): Promise<void> {
  await vi.waitUntil(async () => (await outsider.depth(DEAD_LETTER_QUEUE)) === dead, WAIT);
  expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(waiting);
}

/** So many messages were put off, and RabbitMQ still has each. */
async function untilPutOff(count: number): Promise<void> {
  const putOff = () => log.lines.filter(({ msg }) => msg.startsWith('not possible now'));
  await vi.waitUntil(() => putOff().length === count, WAIT);
  await expectQueues({ waiting: 0, dead: 0 });
}

/** What was put off is done: the order's units are back, the order that nobody has is a dead letter. */
async function untilRecoveredAndDead(): Promise<void> {
  await vi.waitUntil(() => recovered().length === 1, WAIT);
  expect(await api.stockOf(sku)).toBe(STOCK);
  await expectQueues({ waiting: 0, dead: 1 });
}

const rowOf = (id: string) =>
  api.database.query
    .selectFrom('orders')
    .select(['status', 'reason'])
    .where('id', '=', id)
    .executeTakeFirst();

describe('P4: the units go back once, of an order that is', () => {
  test('placed, and still in the journal only', async () => {
    await startRecovery();
    const id = await place();
    expect(await rowOf(id)).toBeUndefined();
    recover(id, '깨졌다 🍵');
    await untilHandled(1);
    expect(await api.stockOf(sku)).toBe(STOCK);
    expect(await statusOf(id)).toBe('cancelled');
    await api.drain();
    expect(await rowOf(id)).toEqual({ status: 'cancelled', reason: '깨졌다 🍵' });
  });

  test('placed, and in MariaDB for long', async () => {
    await startRecovery();
    const id = await place();
    await api.drain();
    recover(id);
    await untilHandled(1);
    expect(await api.stockOf(sku)).toBe(STOCK);
    await api.drain();
    expect(await rowOf(id)).toEqual({ status: 'cancelled', reason: 'the parcel came back' });
    recover(id);
    await untilHandled(2);
    expect(await api.stockOf(sku)).toBe(STOCK);
  });

  test('held: it can be confirmed no more', async () => {
    await startRecovery();
    const id = await hold();
    recover(id);
    await untilHandled(1);
    expect(await statusOf(id)).toBe('cancelled');
    expect(await api.stockOf(sku)).toBe(STOCK);
    const path = `/api/v1/orders/${id}/confirm`;
    expect((await api.call(path, { method: 'POST', token: tokenFor('mina') })).status).toBe(409);
  });

  test('expired, or cancelled by its customer', async () => {
    await startRecovery();
    const [expired, cancelled] = [await hold(), await place()];
    expect((await cancel(cancelled)).status).toBe(200);
    await vi.waitUntil(async () => (await statusOf(expired)) === 'expired', WAIT);
    expect(await api.stockOf(sku)).toBe(STOCK);
    for (const id of [expired, cancelled]) recover(id);
    await untilHandled(2);
    expect(await statusOf(expired)).toBe('expired');
    await api.drain();
    for (const id of [expired, cancelled]) recover(id);
    await untilHandled(4);
    expect(await api.stockOf(sku)).toBe(STOCK);
    expect(await rowOf(cancelled)).toEqual({ status: 'cancelled', reason: null });
  });

  test('any of these, told twenty times to two processes at once, while others order and a writer drains', async () => {
    await startRecovery();
    await startRecovery();
    const writer = api.start(['writer']);
    const ids = await Promise.all(Array.from({ length: 30 }, (_, at) => (at % 2 ? place(3) : hold(3))));
    for (let round = 0; round < 20; round++) for (const id of ids) recover(id, `round ${round}`);
    const others = await Promise.all(Array.from({ length: 50 }, () => place(1)));
    await untilHandled(20 * ids.length);
    expect(recovered().filter(({ kind }) => kind === 'done')).toHaveLength(ids.length);
    expect(await api.stockOf(sku)).toBe(STOCK - others.length);
    await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, WAIT);
    expect(await writer.stop()).toBe(0);
    await api.expectConsistent();
  });
});

describe('a message that can never be handled is among the dead letters, with its body and the reason:', () => {
  const sound = { orderId: UNKNOWN, reason: 'x' };
  const REASONS = `must have 1 to ${MAX_REASON_CHARACTERS} characters`;

  test.each<readonly [string, Buffer | string, string]>([
    ['no JSON', '{"orderId":', 'the body is no JSON'],
    ['nothing', '', 'the body is no JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'the body is no UTF-8'],
    ['no object', '[1]', 'the body is no JSON object'],
    ['null', 'null', 'the body is no JSON object'],
    ['no order', JSON.stringify({ reason: 'x' }), 'the body has no "orderId"'],
    ['an order that is no text', JSON.stringify({ ...sound, orderId: 7 }), '"orderId" is no text'],
    [
      'what is no order id',
      JSON.stringify({ ...sound, orderId: 'ORDER-7' }),
      '"orderId" "ORDER-7" is no order id',
    ],
    ['an order that is not there', JSON.stringify(sound), `there is no order ${UNKNOWN}`],
    ['no reason', JSON.stringify({ orderId: UNKNOWN }), 'the body has no "reason"'],
    ['a blank reason', JSON.stringify({ ...sound, reason: ' ' }), REASONS],
    ['a reason of control characters', JSON.stringify({ ...sound, reason: 'a\nb' }), REASONS],
    [
      'a reason too long',
      JSON.stringify({ ...sound, reason: 'x'.repeat(MAX_REASON_CHARACTERS + 1) }),
      REASONS,
    ],
    [
      'too much',
      JSON.stringify({ ...sound, note: 'x'.repeat(MAX_BODY_BYTES) }),
      `the most is ${MAX_BODY_BYTES}`,
    ],
  ])('%s', async (_, body, reason) => {
    await startRecovery();
    outsider.send(EXCHANGE, 'stock.recover', body, { messageId: 'theirs' });
    await expectQueues({ waiting: 0, dead: 1 });
    const [letter] = await outsider.takeAll(DEAD_LETTER_QUEUE);
    expect(letter!.content).toEqual(Buffer.from(body));
    expect(letter!.fields.routingKey).toBe('stock.recover');
    expect(letter!.properties.messageId).toBe('theirs');
    expect(letter!.properties.headers!['x-reason']).toContain(reason);
    expect(letter!.properties.headers!['x-original-queue']).toBe(STOCK_RECOVERY_QUEUE);
    await closers.shift()!();
    await expectQueues({ waiting: 0, dead: 0 });
  });
});

describe('what cannot be done now waits in hand:', () => {
  test('while the gate is closed; then it is done', async () => {
    const proxy = await TcpProxy.start(Number(new URL(api.environment.REDIS_URL!).port));
    closers.push(() => proxy.stop());
    const gate = await startRecovery({ redisUrl: proxy.inFrontOf(api.environment.REDIS_URL!) });
    const id = await place();
    await proxy.set('cut');
    await vi.waitUntil(() => gate.reasons.length > 0, WAIT);
    recover(id);
    recover(UNKNOWN);
    await untilPutOff(2);
    expect(await statusOf(id)).toBe('placed');
    await proxy.set('pass');
    await untilRecoveredAndDead();
  });

  test('an order that MariaDB alone may know, while it is away', async () => {
    const proxy = await TcpProxy.start(Number(new URL(api.environment.DATABASE_URL!).port));
    closers.push(() => proxy.stop());
    await startRecovery({ databaseUrl: proxy.inFrontOf(api.environment.DATABASE_URL!) });
    const id = await place();
    await api.drain();
    await proxy.set('cut');
    recover(id);
    recover(UNKNOWN);
    await untilPutOff(2);
    await proxy.set('pass');
    await untilRecoveredAndDead();
  });

  test('and is another process’s when this one is stopped', async () => {
    const proxy = await TcpProxy.start(Number(new URL(api.environment.REDIS_URL!).port));
    const gate = await startRecovery({ redisUrl: proxy.inFrontOf(api.environment.REDIS_URL!) });
    const id = await place();
    await proxy.set('cut');
    await vi.waitUntil(() => gate.reasons.length > 0, WAIT);
    recover(id);
    await vi.waitUntil(() => log.lines.some(({ msg }) => msg.startsWith('not possible now')), WAIT);
    await closers.shift()!();
    await proxy.stop();
    await expectQueues({ waiting: 1, dead: 0 });
    await startRecovery();
    await vi.waitUntil(() => recovered().length === 1, WAIT);
    expect(await api.stockOf(sku)).toBe(STOCK);
  });
});
