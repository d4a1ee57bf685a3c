import { beforeEach, describe, expect, test } from 'vitest';
import { insertDeadLetters } from '../../engine/database/statements/insert-dead-letters.ts';
import { ORIGIN } from '../../engine/domain/position.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import { adjustStock } from '../../engine/redis/commands/adjust-stock.ts';
import { placeOrders } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { readEntriesAfter, readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { applyEntries } from '../apply.ts';
import { makeCompensations } from './fix.ts';
import { planFixes } from './plan.ts';
import { compareAll, reconcile } from './reconcile.ts';

const redis = useRedis();
const maria = useDatabase();
const details = { name: 'n', producer: null, type: null, function: null, description: null };
const SKUS = Array.from({ length: 12 }, (_, at) => `sku ${at}`);
const TABLES = [
  'products',
  'stock_levels',
  'stock_movements',
  'orders',
  'order_items',
  'dead_letters',
  'outbox',
] as const;

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  for (const table of TABLES) await maria.database.query.deleteFrom(table).execute();
  await maria.database.query
    .updateTable('journal_checkpoint')
    .set({ ...ORIGIN, fence: 0 })
    .execute();
  const products = open(putProducts);
  await Promise.all(SKUS.map((sku) => products.submit({ sku, price: 5, stock: 100, details })));
});

function open<Item, Outcome>(command: BatchCommand<Item, Outcome>) {
  const bounds = { itemsOfCall: 10, weightOfCall: 100, itemsWaiting: 1_000, waitMs: 5_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

const sides = () => ({ redis: redis.client, database: maria.database, clock: systemClock });
const drifts = async () => (await reconcile(sides())).drifts;
const order = (sku = SKUS[0]!, quantity = 1) =>
  open(placeOrders).submit({ user: 'u', lines: [{ sku, quantity }] });

/** All of the journal into MariaDB, as a writer does. */
async function applyAll(): Promise<void> {
  const { epoch, sequence, fence } = await maria.database.query
    .selectFrom('journal_checkpoint')
    .selectAll()
    .executeTakeFirstOrThrow();
  const entries = await readEntriesAfter(redis.client, { epoch, sequence }, { count: 1_000 });
  await applyEntries(maria.database, { epoch, sequence, fence }, entries);
}

/** What one who runs `--fix --yes` found, and how to do something about it. */
async function findOut() {
  const { reconciliation, compensated: since } = await compareAll(sides());
  const { compensations } = planFixes(reconciliation.drifts, 'a test');
  const lane = new Lane({ redis: redis.client, clock: systemClock, epoch: () => 1, deadlineMs: 5_000 });
  return () => makeCompensations(compensations, { lane, clock: systemClock, epoch: 1, since });
}

test('P5: pages that stand at different instants raise no alarm', async () => {
  await applyAll();
  let isOpen = true;
  const adjustments = open(adjustStock);
  const traffic = (async () => {
    for (let at = 0; isOpen; at++)
      await adjustments.submit({ sku: SKUS[at % SKUS.length]!, delta: 1, reason: 'r' });
  })();
  for (let round = 0; round < 10; round++) {
    expect((await reconcile({ ...sides(), keysOfPage: 2, ordersOfPage: 2 })).drifts).toEqual([]);
  }
  isOpen = false;
  await traffic;
});

test('P1: of two who compensate the same findings at once, one does', async () => {
  await applyAll();
  await redis.client.hincrby(KEYS.levels, SKUS[0]!, 7);
  const fixes = [await findOut(), await findOut()];
  const results = await Promise.all(fixes.map((fix) => fix()));
  expect(results.filter(({ isConflict }) => isConflict)).toHaveLength(1);
  expect(await redis.client.hget(KEYS.levels, SKUS[0]!)).toBe('100');
  expect(await drifts()).toEqual([]);
});

test('P1: a compensation adds units, so that what is sold in between stays sold', async () => {
  await applyAll();
  await redis.client.hincrby(KEYS.levels, SKUS[0]!, 7);
  const fix = await findOut();
  await order(SKUS[0]!, 40);
  await fix();
  expect(await redis.client.hget(KEYS.levels, SKUS[0]!)).toBe('60');
  expect(await drifts()).toEqual([]);
});

test.each([
  ["MariaDB's level", 'update stock_levels set available = available + 9 where sku = ?'],
  ['its movements', 'update stock_movements set delta = delta + 9 where sku = ?'],
])('P5: a compensation of %s makes all agree, before MariaDB has it and after', async (_, harm) => {
  await order();
  await applyAll();
  await maria.database.pool.query(harm, [SKUS[0]]);
  await (await findOut())();
  expect(await drifts()).toEqual([]);
  await order();
  await applyAll();
  expect(await drifts()).toEqual([]);
  const [row] = await maria.database.pool.query('select available from stock_levels where sku = ?', [
    SKUS[0],
  ]);
  expect(row.available).toBe(98);
});

describe('entries that MariaDB does not have', () => {
  /** Moves the checkpoint past the last entry, which is set aside. */
  async function setAsideLast(content?: Buffer): Promise<void> {
    const entries = await readStoredEntriesAfter(redis.client, ORIGIN, { count: 1_000 });
    const { position, content: whole } = entries.at(-1)!;
    const letter = { position, content: content ?? whole, kind: null, code: null, reason: 'r' };
    await maria.database.transaction(async (transaction) => {
      await insertDeadLetters(transaction, [letter]);
      await transaction.query('update journal_checkpoint set epoch = ?, sequence = ?', [
        position.epoch,
        position.sequence,
      ]);
    });
  }

  test('P5: one that is set aside is named, and folded in so that it neither hides nor fakes anything else', async () => {
    await applyAll();
    await order(SKUS[0]!, 3);
    await setAsideLast();
    expect(await drifts()).toMatchObject([{ kind: 'dead_letter', entry: expect.any(String) }]);
    await redis.client.hincrby(KEYS.levels, SKUS[0]!, 3);
    expect((await drifts()).map(({ kind, difference }) => [kind, difference])).toEqual([
      ['dead_letter', null],
      ['level', 3],
    ]);
  });

  test('P5: a price of one that is set aside may have been overwritten since, or not', async () => {
    await applyAll();
    await open(putProducts).submit({ sku: SKUS[0]!, price: 6, stock: 0, details });
    await setAsideLast();
    expect((await drifts()).map(({ kind }) => kind)).toEqual(['dead_letter']);
    await open(putProducts).submit({ sku: SKUS[0]!, price: 7, stock: 0, details });
    await applyAll();
    expect((await drifts()).map(({ kind }) => kind)).toEqual(['dead_letter']);
    await redis.client.hset(KEYS.prices, SKUS[0]!, 8);
    expect((await drifts()).map(({ kind }) => kind)).toEqual(['dead_letter', 'price']);
  });

  test('P5: a gap in the journal is named, and nothing is compensated for it', async () => {
    await applyAll();
    await order();
    await order();
    const [first] = (await redis.client.xrevrange(KEYS.journal, '+', '-', 'COUNT', 2)).slice(1);
    await redis.client.xdel(KEYS.journal, first![0]);
    const found = await drifts();
    expect(found.map(({ kind }) => kind)).toEqual(['journal', 'level']);
    expect(planFixes(found, 'r').compensations).toEqual([]);
  });

  test('P5: the last entry is missing: the journal ends before Redis does', async () => {
    await applyAll();
    await order();
    const [last] = await redis.client.xrevrange(KEYS.journal, '+', '-', 'COUNT', 1);
    await redis.client.xdel(KEYS.journal, last![0]);
    expect((await drifts()).map(({ kind }) => kind)).toEqual(['journal', 'level']);
  });

  test('one that is damaged is named; one of an unknown format is an upgrade that is due', async () => {
    await applyAll();
    await redis.client.xadd(KEYS.journal, '1-*', 'entry', 'no MessagePack');
    expect(await drifts()).toMatchObject([{ kind: 'journal', entry: expect.stringMatching(/^1-\d+$/) }]);
    await redis.client.xadd(KEYS.journal, '1-*', 'entry', packMessage([99, 'orders', 0]));
    await expect(drifts()).rejects.toThrow(/format 99.*upgrade/);
  });
});

test('the pin is gone when a comparison is done, and when it fails', async () => {
  await reconcile(sides());
  await redis.client.set(KEYS.recovering, 'x');
  await expect(reconcile(sides())).rejects.toThrow(/a recovery is under way/);
  expect(await redis.client.hlen(KEYS.pins)).toBe(0);
});
