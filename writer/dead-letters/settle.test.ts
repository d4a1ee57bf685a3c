import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectDatabase, type Database, WRITING_SESSION } from '../../engine/database/database.ts';
import { insertDeadLetters } from '../../engine/database/statements/insert-dead-letters.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { readDeadLetterContent } from '../../engine/database/statements/read-dead-letter-content.ts';
import { parseOrderId } from '../../engine/domain/order-id.ts';
import { type Position, parsePosition } from '../../engine/domain/position.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import { placeOrders, placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { decodeEntry, readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { applyEntries, moveCheckpoint } from '../apply.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { ReplayRefused } from './replay-refused.ts';
import { replayDeadLetter } from './settle.ts';

const redis = useRedis();
const maria = useDatabase();
const details = { name: 'n', producer: null, type: null, function: null, description: null };
let database: Database;

beforeAll(async () => {
  database = connectDatabase(maria.url, 4, WRITING_SESSION);
  await redis.client.set(KEYS.epoch, 1);
  await open(putProducts).submit({ sku: 'a', price: 5, stock: 100, details });
  await drain(() => false);
});

afterAll(() => database.close());

function open<Item, Outcome>(command: BatchCommand<Item, Outcome>): Batcher<Item, Outcome> {
  const bounds = { itemsOfCall: 10, weightOfCall: 100, itemsWaiting: 1_000, waitMs: 5_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

/** Applies the journal as the writer does; those that `isRefused` are set aside. Resolves to their places. */
async function drain(isRefused: (kind: string, at: number) => boolean): Promise<Position[]> {
  const aside: Position[] = [];
  const stored = await readStoredEntriesAfter(redis.client, await readCheckpoint(database), { count: 100 });
  for (const [at, one] of stored.entries()) {
    const entry = decodeEntry(one);
    const checkpoint = await readCheckpoint(database);
    if (!isRefused(entry.kind, at)) {
      await applyEntries(database, checkpoint, [entry]);
      continue;
    }
    await database.transaction(async (transaction) => {
      await moveCheckpoint(transaction, checkpoint, one.position);
      await insertDeadLetters(transaction, [{ ...one, kind: entry.kind, code: null, reason: 'a test' }]);
    });
    aside.push(one.position);
  }
  return aside;
}

const sides = () => ({ redis: redis.client, database, clock: systemClock });
const replay = (position: Position) => replayDeadLetter(sides(), position);
const expectConsistent = async () => expect((await reconcile(sides())).drifts).toEqual([]);
const outbox = () => database.pool.query('select epoch, sequence, content from outbox order by id');
const order = (user: string) => open(placeOrders).submit({ user, lines: [{ sku: 'a', quantity: 2 }] });

test('P4: ten replays of one order at once do it once', async () => {
  await order('mina');
  const before = await outbox();
  const [position] = await drain(() => true);
  expect(await outbox()).toEqual(before);
  await order('sora');
  await drain(() => false);
  const replays = await Promise.allSettled(Array.from({ length: 10 }, () => replay(position!)));
  expect(replays.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(replay(position!)).rejects.toThrow(/it is replayed already/);
  // It is told when it is replayed, after what came meanwhile, as it stood in the journal.
  const after = (await outbox()).slice(before.length);
  expect(after).toMatchObject([{ sequence: position!.sequence + 1 }, position]);
  const letter = await readDeadLetterContent(database, position!);
  expect(after[1].content).toEqual(letter!.content);
  await expectConsistent();
});

test('P5: a price that is newer in MariaDB is not overwritten', async () => {
  await open(putProducts).submit({ sku: 'a', price: 6, stock: 0, details });
  await open(putProducts).submit({ sku: 'a', price: 7, stock: 0, details });
  const [position] = await drain((_, at) => at === 0);
  await replay(position!);
  expect(await database.pool.query('select price from products')).toEqual([{ price: 7 }]);
  await expectConsistent();
});

test('P4: an order that was confirmed late and cancelled in time stays cancelled', async () => {
  const lines = [{ sku: 'a', quantity: 2 }];
  const placed = await open(placeOrdersWithHold(60_000)).submit({ user: 'jun', lines });
  if (placed.kind !== 'accepted') throw new Error(placed.kind);
  const place = parseOrderId(placed.order.id)!;
  const read = { place, status: 'held' as const, lines: placed.order.items, user: 'jun' };
  await open(settleOrders).submit({ ...read, action: 'confirm', asOf: place });
  await open(settleOrders).submit({ ...read, action: 'cancel', asOf: place });
  const [confirmation] = await drain((_, at) => at === 1);
  await replay(confirmation!);
  expect(await database.pool.query("select status from orders where user_id = 'jun'")).toEqual([
    { status: 'cancelled' },
  ]);
  await expectConsistent();
});

test('what is not there, and what was settled, is refused by name', async () => {
  await expect(replay(parsePosition('1-999'))).rejects.toThrow(ReplayRefused);
});
