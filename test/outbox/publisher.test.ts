import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OutgoingMessage } from '../../engine/broker/broker.ts';
import { connectDatabase, type Database, WRITING_SESSION } from '../../engine/database/database.ts';
import { OutboxPublisher } from '../../engine/outbox/publisher.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { createLogger } from '../../engine/runtime/logger.ts';
import { purgeOutbox } from '../../writer/purge.ts';
import { emptyTables, useDatabase, useRedis } from '../fixtures/servers.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { expectedOf, linesOf, type Received } from './expected-messages.ts';
import { TradingShop } from './trading-shop.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const LOW = 10;
const PATIENCE = { timeout: 30_000, interval: 20 };
const redis = useRedis();
const maria = useDatabase();
const random = new SeededRandom(SEED);
const logger = createLogger('test', 'silent');
let shop: TradingShop;
let received: Received[] = [];
const opened: { publisher: OutboxPublisher; database: Database }[] = [];

beforeEach(async () => {
  await redis.client.flushall();
  await emptyTables(maria.database);
  await maria.database.query.deleteFrom('leases').execute();
  received = [];
  shop = new TradingShop(redis.client, maria.database, random);
  await shop.begin();
});

afterEach(async () => {
  for (const { publisher, database } of opened.splice(0)) {
    await publisher.stop();
    await database.close().catch(() => undefined);
  }
});

type Publish = (message: OutgoingMessage) => Promise<void>;

/** A world that hears everything. */
const hear: Publish = async ({ messageId, routingKey, type, body }) => {
  expect(type).toBe(routingKey);
  received.push({ messageId, type: routingKey, body });
};

function startPublisher(publish: Publish = hear) {
  const database = connectDatabase(maria.url, 2, WRITING_SESSION);
  const publisher = new OutboxPublisher({ database, clock: systemClock, logger, lowUnits: LOW, publish });
  opened.push({ publisher, database });
  publisher.start();
  return { publisher, database };
}

const countRows = async () =>
  (await maria.database.pool.query('select count(*) as count from outbox'))[0].count as number;
const untilTold = () => vi.waitUntil(async () => (await countRows()) === 0, PATIENCE);
const lapseLease = () => maria.database.pool.query("update leases set until = '2000-01-01'");

async function expectAllTold(): Promise<void> {
  await untilTold();
  expect(linesOf(received), `seed ${SEED}`).toEqual(expectedOf(await shop.journal(), LOW));
}

test('what happened is told exactly, in order, in one run or in many', async () => {
  await shop.trade(150);
  startPublisher();
  await untilTold();
  for (let round = 0; round < 5; round++) {
    await shop.trade(20);
    await untilTold();
  }
  await expectAllTold();
  const types = new Set(received.map(({ type }) => type));
  for (const type of ['order.placed', 'order.held', 'order.cancelled', 'stock.low', 'stock.out'])
    expect(types, `seed ${SEED}`).toContain(type);
  expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(received.length);
});

test('while it cannot be published all is kept; a message that is refused is sent again with all after it', async () => {
  let isAway = true;
  const refused = new Set<string>();
  const { publisher } = startPublisher(async (message) => {
    if (isAway) throw new Error('there is no connection to RabbitMQ');
    if (random.chance(5) && !refused.has(message.messageId)) {
      refused.add(message.messageId);
      throw new Error('refused by RabbitMQ');
    }
    await hear(message);
  });
  await shop.trade(100);
  const rows = await countRows();
  await vi.waitUntil(() => publisher.status.retries >= 3, PATIENCE);
  expect(publisher.status).toMatchObject({ mode: 'BACKING_OFF', hasLease: true });
  expect(publisher.status.lastError).toContain('no connection');
  expect(await countRows()).toBe(rows);
  isAway = false;
  await untilTold();
  expect(refused.size, `seed ${SEED}`).toBeGreaterThan(0);
  // Only the last of each id is in order here: what came after a refused message in its window had been taken.
  const lasts = received.filter(
    ({ messageId }, at) => !received.slice(at + 1).some((later) => later.messageId === messageId),
  );
  expect(linesOf(lasts), `seed ${SEED}`).toEqual(expectedOf(await shop.journal(), LOW));
});

test('of two one works; when it dies in the middle of a page, the other tells the rest, and what was in its hands again', async () => {
  await shop.trade(80);
  let isDead = false;
  const dying = startPublisher(async (message) => {
    if (received.length < 60 && !isDead) return await hear(message);
    if (!isDead) void dying.database.close();
    isDead = true;
    await new Promise(() => undefined);
  });
  await vi.waitUntil(() => received.length === 60, PATIENCE);
  const other = startPublisher();
  await vi.waitUntil(() => other.publisher.status.mode === 'STANDBY', PATIENCE);
  expect(received).toHaveLength(60);
  await lapseLease();
  await expectAllTold();
  expect(received.length).toBeGreaterThan(new Set(received.map(({ messageId }) => messageId)).size);
  const bodies = new Map<string, unknown>();
  for (const { messageId, body } of received) {
    expect(body).toEqual(bodies.get(messageId) ?? body);
    bodies.set(messageId, body);
  }
});

test('two that both take the lease for theirs: all is told, and the first of each id in order', async () => {
  const [one, other] = [startPublisher(), startPublisher()];
  for (let round = 0; round < 6; round++) {
    await shop.trade(15);
    await lapseLease();
    await vi.waitUntil(() => one.publisher.status.hasLease || other.publisher.status.hasLease, PATIENCE);
  }
  await expectAllTold();
});

test('one that stops gives the lease back, and the other takes over at once', async () => {
  const one = startPublisher();
  await vi.waitUntil(() => one.publisher.status.mode === 'WAITING', PATIENCE);
  const other = startPublisher();
  await vi.waitUntil(() => other.publisher.status.mode === 'STANDBY', PATIENCE);
  await one.publisher.stop();
  const stoppedAt = performance.now();
  await shop.trade(10);
  await expectAllTold();
  expect(performance.now() - stoppedAt).toBeLessThan(8_000);
  expect(one.publisher.status.mode).toBe('STOPPED');
});

test('an entry of a later format is named and waited for: nothing is told past it and nothing is lost', async () => {
  await shop.apply();
  const later = { epoch: 1, sequence: 999, content: Buffer.from([0x93, 2, 0xa1, 0x61, 5]) };
  await maria.database.query
    .insertInto('outbox')
    .values({ ...later, written_at: new Date() })
    .execute();
  await shop.trade(5);
  const rows = await countRows();
  const { publisher } = startPublisher();
  await vi.waitUntil(() => publisher.status.retries >= 2, PATIENCE);
  expect(publisher.status.lastError).toMatch(/1-999 has format 2, this program reads 1: upgrade it/);
  expect(await countRows()).toBe(rows);
  await expect(purgeOldRows()).rejects.toThrow(/upgrade/);
  await maria.database.pool.query('delete from outbox where sequence = 999');
  await expectAllTold();
});

/** As if all rows had waited for eight days. */
async function purgeOldRows(warnings: unknown[] = []): Promise<void> {
  await maria.database.pool.query('update outbox set written_at = utc_timestamp(3) - interval 8 day');
  const warn = (facts: unknown) => warnings.push(facts);
  await purgeOutbox({ database: maria.database, logger: { ...logger, warn } as never, days: 7 });
}

test('what nobody published for a week is given up and counted, and what comes then is told as it is', async () => {
  await shop.trade(120);
  let isAway = true;
  const { publisher } = startPublisher(async (message) => {
    if (isAway) throw new Error('away');
    await hear(message);
  });
  await vi.waitUntil(() => publisher.status.retries > 0, PATIENCE);
  await purgeOutbox({ database: maria.database, logger, days: 7 });
  const [entries, before] = [await countRows(), await shop.journal()];
  expect(entries).toBeGreaterThan(0);
  const orderMessages = expectedOf(before, LOW).filter((line) => line.includes(' order.')).length;
  const warnings: unknown[] = [];
  await purgeOldRows(warnings);
  expect(warnings).toEqual([expect.objectContaining({ entries, orderMessages, days: 7 })]);
  expect(await countRows()).toBe(0);
  isAway = false;
  await shop.trade(60);
  await untilTold();
  const expected = expectedOf(await shop.journal(), LOW).slice(expectedOf(before, LOW).length);
  // The page that it had in hand when they were given up may be told as well.
  expect(linesOf(received).slice(-expected.length), `seed ${SEED}`).toEqual(expected);
});
