import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readCheckpoint } from '../engine/database/statements/read-checkpoint.ts';
import { formatPosition } from '../engine/domain/position.ts';
import { Batcher } from '../engine/redis/batcher.ts';
import { duplicateClient } from '../engine/redis/client.ts';
import { placeOrders } from '../engine/redis/commands/place-orders.ts';
import { putProducts } from '../engine/redis/commands/put-products.ts';
import { trimJournal } from '../engine/redis/commands/trim-journal.ts';
import { pinJournal } from '../engine/redis/journal-pin.ts';
import { countEntries, readEntriesAfter } from '../engine/redis/journal-stream.ts';
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
const ORIGIN = { epoch: 0, sequence: 0, fence: 0 };
const running: { loop: DrainLoop; done: Promise<unknown> }[] = [];

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  for (const table of ['products', 'stock_levels', 'stock_movements', 'orders', 'order_items'] as const) {
    await maria.database.query.deleteFrom(table).execute();
  }
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

function startWriter(entriesPerTransaction = 3): void {
  const logger = createLogger('writer', 'silent');
  const blockingRedis = duplicateClient(redis.client, () => undefined);
  const { database } = maria;
  const loop = new DrainLoop({
    redis: redis.client,
    blockingRedis,
    database,
    clock: systemClock,
    logger,
    entriesPerTransaction,
  });
  running.push({ loop, done: loop.run() });
}

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

test('P5: an entry that MariaDB refuses is neither skipped nor trimmed, and applied once it can be', async () => {
  await orderSome(20);
  await maria.database.query.insertInto('orders').values(rowInTheWay).execute();
  const transactions = vi.spyOn(maria.database, 'transaction');
  startWriter();
  await vi.waitUntil(() => transactions.mock.calls.length >= 3, { timeout: 20_000 });
  expect(await countEntries(redis.client)).toBe(3);
  expect(await countOrders()).toBe(1);
  await maria.database.query.deleteFrom('orders').execute();
  await untilDrained();
  expect(await countOrders()).toBe(20);
  await expectConsistent();
});

const rowInTheWay = {
  id: '0001000000001000',
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
