import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { connectDatabase, type Database, WRITING_SESSION } from '../engine/database/database.ts';
import { readCheckpoint } from '../engine/database/statements/read-checkpoint.ts';
import { formatPosition } from '../engine/domain/position.ts';
import { Batcher } from '../engine/redis/batcher.ts';
import { duplicateClient } from '../engine/redis/client.ts';
import { placeOrders } from '../engine/redis/commands/place-orders.ts';
import { putProducts } from '../engine/redis/commands/put-products.ts';
import { settleOrders } from '../engine/redis/commands/settle-orders.ts';
import { trimJournal } from '../engine/redis/commands/trim-journal.ts';
import { pinJournal } from '../engine/redis/journal-pin.ts';
import { countEntries, readEntriesAfter, readStoredEntriesAfter } from '../engine/redis/journal-stream.ts';
import { KEYS } from '../engine/redis/keys.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger } from '../engine/runtime/logger.ts';
import { useDatabase, useRedis } from '../test/fixtures/servers.ts';
import { applyEntries, CheckpointMoved } from './apply.ts';
import { DrainLoop } from './drain-loop.ts';
import { reconcile } from './reconcile/reconcile.ts';

const redis = useRedis();
const maria = useDatabase();
const details = { name: 'n', producer: null, type: null, function: null, description: null };
const TABLES = [
  'products',
  'stock_levels',
  'stock_movements',
  'orders',
  'order_items',
  'dead_letters',
  'outbox',
  'leases',
] as const;
const ORIGIN = { epoch: 0, sequence: 0, fence: 0 };
let writing: Database;
const running: { loop: DrainLoop; done: Promise<unknown> }[] = [];

beforeAll(() => {
  writing = connectDatabase(maria.url, 4, WRITING_SESSION);
});

afterAll(() => writing.close());

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  for (const table of TABLES) await maria.database.query.deleteFrom(table).execute();
  await maria.database.query.updateTable('journal_checkpoint').set(ORIGIN).execute();
  await open(putProducts).submit({ sku: 'a', price: 5, stock: 100, details });
});

afterEach(async () => {
  for (const { loop } of running) loop.stop();
  await Promise.all(running.splice(0).map(({ done }) => done));
});

function open<Item, Outcome>(command: import('../engine/redis/batcher.ts').BatchCommand<Item, Outcome>) {
  const bounds = { itemsOfCall: 10, weightOfCall: 100, itemsWaiting: 1_000, waitMs: 5_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

async function orderSome(count: number): Promise<void> {
  const orders = open(placeOrders);
  const lines = [{ sku: 'a', quantity: 1 }];
  await Promise.all(Array.from({ length: count }, (_, at) => orders.submit({ user: `u${at}`, lines })));
}

function startWriter(entriesPerTransaction = 3): DrainLoop {
  const logger = createLogger('writer', 'silent');
  const blockingRedis = duplicateClient(redis.client, () => undefined);
  const loop = new DrainLoop({
    redis: redis.client,
    blockingRedis,
    database: writing,
    clock: systemClock,
    logger,
    entriesPerTransaction,
  });
  running.push({ loop, done: loop.run() });
  return loop;
}

const storedEntries = () => readStoredEntriesAfter(redis.client, ORIGIN, { count: 1_000 });
const allEntries = () => readEntriesAfter(redis.client, ORIGIN, { count: 1_000 });
const untilDrained = () =>
  vi.waitUntil(async () => (await countEntries(redis.client)) === 0, { timeout: 20_000 });

async function countOrders(): Promise<number> {
  return (await maria.database.query.selectFrom('orders').select('id').execute()).length;
}

async function expectConsistent(): Promise<void> {
  const result = await reconcile({ redis: redis.client, database: maria.database, clock: systemClock });
  expect(result.drifts).toEqual([]);
}

test('the journal is drained into MariaDB and trimmed', async () => {
  await orderSome(60);
  startWriter();
  await untilDrained();
  expect(await countOrders()).toBe(60);
  expect(formatPosition(await readCheckpoint(maria.database))).toBe('1-6');
  await expectConsistent();
});

test('P4: entries that were applied already are not applied again', async () => {
  await orderSome(20);
  const entries = await allEntries();
  await applyEntries(maria.database, ORIGIN, entries);
  await expect(applyEntries(maria.database, ORIGIN, entries)).rejects.toThrow(CheckpointMoved);
  expect(await countOrders()).toBe(20);
  await expectConsistent();
});

test('P6: whoever read the checkpoint before a recovery raised the fence changes nothing', async () => {
  await orderSome(20);
  const entries = await allEntries();
  await maria.database.query.updateTable('journal_checkpoint').set({ fence: 1 }).execute();
  await expect(applyEntries(maria.database, ORIGIN, entries)).rejects.toThrow(CheckpointMoved);
  expect(await countOrders()).toBe(0);
  const loop = startWriter();
  await untilDrained();
  await maria.database.query.updateTable('journal_checkpoint').set({ fence: 2 }).execute();
  await orderSome(20);
  await untilDrained();
  expect(loop.status).toMatchObject({ checkpoint: { fence: 2 }, setAside: 0, retries: 0 });
  await expectConsistent();
});

test('P4: several writers at once apply every entry once', async () => {
  for (let writer = 0; writer < 3; writer++) startWriter(1);
  for (let round = 0; round < 5; round++) await orderSome(20);
  await untilDrained();
  expect(await countOrders()).toBe(100);
  await expectConsistent();
});

test('P4: a writer that died between commit and trim is followed by one that trims', async () => {
  await orderSome(20);
  await applyEntries(maria.database, ORIGIN, await allEntries());
  startWriter();
  await orderSome(1);
  await untilDrained();
  expect(await countOrders()).toBe(21);
  await expectConsistent();
});

test('P5: an entry that MariaDB refuses is set aside whole, and its neighbours commit', async () => {
  await orderSome(80);
  const [, , , refused] = await storedEntries();
  await maria.database.query.insertInto('orders').values(rowInTheWay).execute();
  const loop = startWriter(20);
  await untilDrained();
  expect(await countOrders()).toBe(1 + 70);
  const [letter, ...others] = await readLetters();
  expect(others).toEqual([]);
  expect(letter).toMatchObject({
    epoch: 1,
    sequence: 3,
    kind: 'orders',
    code: 'ER_DUP_ENTRY',
    status: 'waiting',
  });
  expect(letter!.reason).toMatch(
    /^Duplicate entry '0001000000003000' for key 'PRIMARY' \(insert into orders\)$/,
  );
  expect(letter!.content.equals(refused!.content)).toBe(true);
  expect(loop.status).toMatchObject({ setAside: 1, entriesApplied: 8, lastError: null });
});

test('P5: an entry that is damaged is set aside, wherever it stands in its batch', async () => {
  await redis.client.xadd(KEYS.journal, '1-*', 'entry', 'no message pack at all');
  await orderSome(30);
  await redis.client.xadd(
    KEYS.journal,
    '1-*',
    'entry',
    Buffer.from([0x93, 1, 0xa6, ...Buffer.from('orders'), 5]),
  );
  startWriter(20);
  await untilDrained();
  expect(await countOrders()).toBe(30);
  expect((await readLetters()).map(({ sequence, kind, code }) => [sequence, kind, code])).toEqual([
    [1, null, null],
    [5, null, null],
  ]);
});

test('P5: what needs a row of an entry that was set aside is set aside too, and its mark stays in Redis', async () => {
  await orderSome(10);
  await maria.database.query
    .insertInto('orders')
    .values({ ...rowInTheWay, id: '0001000000001000' })
    .execute();
  await settle({ epoch: 1, sequence: 1, index: 4 });
  startWriter(20);
  await untilDrained();
  expect((await readLetters()).map(({ sequence, reason }) => [sequence, reason])).toEqual([
    [1, expect.stringContaining('Duplicate entry')],
    [2, expect.stringContaining('1 orders were to change their status, 0 are there')],
  ]);
  expect(await redis.client.hget(KEYS.settled, '1-1-4')).toBe('cancelled 1-2');
});

test('P5: an entry of a later format is waited for, and named: nothing is set aside, nothing passed over', async () => {
  await orderSome(10);
  await redis.client.xadd(KEYS.journal, '1-*', 'entry', Buffer.from([0x93, 2, 0xa1, 0x61, 5]));
  await orderSome(10);
  const loop = startWriter(20);
  await vi.waitUntil(() => loop.status.retries >= 3, { timeout: 20_000 });
  expect(loop.status).toMatchObject({
    lastError: expect.stringMatching(/1-2 has format 2, this program reads 1: upgrade it/),
    checkpoint: { epoch: 1, sequence: 1 },
    setAside: 0,
  });
  expect(await countOrders()).toBe(10);
  expect(await readLetters()).toEqual([]);
});

test('P5: what may pass is not set aside: locks that are held are waited for, and tables that are missing', async () => {
  await orderSome(10);
  const loop = startWriter(20);
  await untilDrained();
  await maria.database.pool.query('rename table order_items to hidden_items');
  await orderSome(10);
  await vi.waitUntil(() => loop.status.retries >= 3, { timeout: 20_000 });
  expect(loop.status.lastError).toContain("doesn't exist");
  await vi.waitUntil(() => loop.status.lag?.entries === 1, { timeout: 20_000 });
  expect(loop.status.lag!.seconds).toBeGreaterThan(0);
  await maria.database.pool.query('rename table hidden_items to order_items');
  await untilDrained();
  await maria.database.transaction(async (blocker) => {
    await blocker.query('select * from stock_levels for update');
    await orderSome(10);
    await vi.waitUntil(() => loop.status.lastError?.includes('Lock wait timeout'), { timeout: 20_000 });
  });
  await untilDrained();
  expect(await countOrders()).toBe(30);
  expect(await readLetters()).toEqual([]);
  await expectConsistent();
});

const readLetters = () =>
  maria.database.query.selectFrom('dead_letters').selectAll().orderBy('epoch').orderBy('sequence').execute();

async function settle(place: { epoch: number; sequence: number; index: number }): Promise<void> {
  const asOf = { epoch: 1, sequence: 1 };
  const lines = [{ sku: 'a', quantity: 1, unitPrice: 5, eventId: null }];
  const user = `u${place.index}`;
  await open(settleOrders).submit({ place, action: 'cancel', status: 'placed', lines, asOf, user });
}

const rowInTheWay = {
  id: '0001000000003000',
  user_id: 'x',
  status: 'placed' as const,
  total: 1,
  placed_at: new Date(),
  expires_at: null,
};

test('P5: past a gap in the journal nothing is applied', async () => {
  await orderSome(40);
  await redis.client.xdel(KEYS.journal, '1-2');
  await expect(applyEntries(maria.database, ORIGIN, await allEntries())).rejects.toThrow(
    /gap: after 1-1 comes 1-3/,
  );
  expect(await countOrders()).toBe(0);
});

test('P5: nothing leaves the journal before MariaDB has it, nor while a reader has pinned it', async () => {
  await orderSome(40);
  const ids = (await allEntries()).map(({ position }) => formatPosition(position));
  const pin = await pinJournal(redis.client, { epoch: 1, sequence: 1 }, 5_000);
  await pinJournal(redis.client, ORIGIN, 1_000);
  await trimJournal(redis.client, { committed: { epoch: 1, sequence: 3 }, settled: [], nowMs: 2_000 });
  expect((await allEntries()).map(({ position }) => formatPosition(position))).toEqual(ids.slice(2));
  await pin.release();
  await trimJournal(redis.client, { committed: { epoch: 1, sequence: 3 }, settled: [], nowMs: 2_000 });
  expect((await allEntries()).map(({ position }) => formatPosition(position))).toEqual(ids.slice(4));
});
