import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { insertDeadLetters } from '../../engine/database/statements/insert-dead-letters.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { type ProcessRow, upsertProcess } from '../../engine/database/statements/upsert-process.ts';
import { formatPosition, type Position } from '../../engine/domain/position.ts';
import { findFaults, readStanding } from '../../engine/journal/standing.ts';
import { Batcher } from '../../engine/redis/batcher.ts';
import { placeOrders } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { rebuildPage } from '../../engine/redis/commands/rebuild-page.ts';
import { markVetted, readJournalState } from '../../engine/redis/journal-state.ts';
import { readEntriesAfter, readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { createLogger } from '../../engine/runtime/logger.ts';
import { emptyTables, useDatabase, useRedis } from '../../test/fixtures/servers.ts';
import { applyEntries, CheckpointMoved } from '../apply.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { recover } from './recover.ts';
import { RecoveryWatch } from './recovery-watch.ts';

const redis = useRedis();
const maria = useDatabase();
const ORIGIN = { epoch: 0, sequence: 0, fence: 0 };
const needs = { appendfsync: 'always' } as const;
let watch: RecoveryWatch;

beforeEach(async () => {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  await emptyTables(maria.database);
  watch = new RecoveryWatch({ ...parts(), needs, logger: createLogger('watch', 'silent') });
  const details = { name: 'n', producer: null, type: null, function: null, description: null };
  await open(putProducts).submit({ sku: 'a', price: 5, stock: 100, details });
});

const parts = () => ({ redis: redis.client, database: maria.database, clock: systemClock });

function open<Item, Outcome>(
  command: import('../../engine/redis/batcher.ts').BatchCommand<Item, Outcome>,
  epoch = 1,
) {
  const bounds = { itemsOfCall: 10, weightOfCall: 100, itemsWaiting: 1_000, waitMs: 5_000, lanes: 1 };
  const options = { redis: redis.client, clock: systemClock, deadlineMs: 2_000, epoch: () => epoch };
  return new Batcher<Item, Outcome>({ ...options, command, bounds });
}

/** Entries 1-1 to 1-count, an order of one unit each. */
async function orderOneByOne(count: number): Promise<void> {
  const orders = open(placeOrders);
  for (let at = 0; at < count; at++)
    await orders.submit({ user: `u${at}`, lines: [{ sku: 'a', quantity: 1 }] });
}

async function drainUpTo(sequence: number): Promise<void> {
  const checkpoint = await readCheckpoint(maria.database);
  const last = { epoch: 1, sequence };
  const entries = await readEntriesAfter(redis.client, checkpoint, { count: 1_000, last });
  await applyEntries(maria.database, checkpoint, entries);
}

async function speak(acknowledged: Position, over: Partial<ProcessRow> = {}): Promise<void> {
  const row = {
    id: randomUUID(),
    kind: 'api',
    host: 'there',
    pid: 4711,
    version: '1',
    url: null,
    report: '{}',
  };
  await upsertProcess(maria.database, { ...row, isStopped: true, ...over, acknowledged });
}

async function expectRecovered(epoch: number, available: number): Promise<void> {
  expect(watch.state).toEqual({ kind: 'recovering' });
  await watch.look();
  expect(watch.state).toEqual({ kind: 'sound' });
  expect(findFaults(await readStanding(redis.client, maria.database))).toEqual([]);
  expect(await redis.client.get(KEYS.epoch)).toBe(String(epoch));
  expect(await redis.client.hget(KEYS.levels, 'a')).toBe(String(available));
  expect(await reconcile(parts())).toMatchObject({ drifts: [] });
}

const reasons = () => (watch.state.kind === 'undecided' ? watch.state.reasons.join('\n') : '');

describe('P6: rebuilds by itself what is sure to lose nothing', () => {
  test('an empty Redis, when all that anybody was told about is in MariaDB', async () => {
    await orderOneByOne(5);
    await drainUpTo(5);
    await speak({ epoch: 1, sequence: 5 });
    await redis.client.flushall();
    await watch.look();
    await expectRecovered(2, 95);
  });

  test('a Redis that is behind MariaDB, and has entries that MariaDB has already', async () => {
    await orderOneByOne(5);
    await drainUpTo(5);
    await redis.client.xtrim(KEYS.journal, 'MINID', '1-4');
    await redis.client.call('COPY', KEYS.levels, 'levels as they were');
    await orderOneByOne(1);
    await drainUpTo(6);
    await loseAfter(5);
    await speak({ epoch: 1, sequence: 6 });
    await watch.look();
    await expectRecovered(2, 94);
  });

  test('a Redis without its epoch, the rest of the journal applied first', async () => {
    await orderOneByOne(5);
    await drainUpTo(2);
    await speak({ epoch: 1, sequence: 5 });
    await redis.client.del(KEYS.epoch);
    await watch.look();
    await expectRecovered(2, 95);
    expect(await maria.database.query.selectFrom('orders').select('id').execute()).toHaveLength(5);
  });

  test.each(['levels', 'prices'] as const)('a Redis whose %s somebody deleted', async (key) => {
    await orderOneByOne(5);
    await drainUpTo(3);
    await speak({ epoch: 1, sequence: 5 });
    await redis.client.del(KEYS[key]);
    await watch.look();
    await expectRecovered(2, 95);
  });

  test('a recovery that was broken off, in a newer epoch', async () => {
    await orderOneByOne(5);
    await drainUpTo(5);
    await redis.client.mset(KEYS.epoch, 2, KEYS.recovering, 2);
    await redis.client.del(KEYS.levels);
    await maria.database.query.updateTable('journal_checkpoint').set({ fence: 2 }).execute();
    await watch.look();
    await expectRecovered(3, 95);
  });

  test('what dead letters have done to Redis is done again', async () => {
    await orderOneByOne(2);
    await setAside('1-2');
    await speak({ epoch: 1, sequence: 2 });
    await redis.client.flushall();
    await watch.look();
    expect(await redis.client.hget(KEYS.levels, 'a')).toBe('98');
  });
});

describe('P6: leaves to an operator what may lose something', () => {
  test('somebody was told of more than there is', async () => {
    await orderOneByOne(5);
    await drainUpTo(3);
    await speak({ epoch: 1, sequence: 5 });
    await redis.client.flushall();
    await watch.look();
    expect(reasons()).toMatch(/entry 1-5 was acknowledged.*MariaDB is at 1-3.*bootakhae recover/);
    await expect(recover({ ...parts(), needs, acceptLoss: false })).rejects.toThrow(
      /after 1-3 cannot be rebuilt/,
    );
    expect(await redis.client.dbsize()).toBe(0);
    const recovery = await recover({ ...parts(), needs, acceptLoss: true });
    expect(recovery).toMatchObject({ epoch: 2, committed: '1-3', acknowledged: '1-5', isLossKnown: true });
    expect(await redis.client.hget(KEYS.levels, 'a')).toBe('97');
    await watch.look();
    expect(watch.state).toEqual({ kind: 'sound' });
  });

  test('somebody does not say what was told, until they do', async () => {
    await orderOneByOne(5);
    await drainUpTo(5);
    const id = randomUUID();
    await speak({ epoch: 1, sequence: 4 }, { id, isStopped: false });
    await redis.client.flushall();
    await watch.look();
    expect(reasons()).toMatch(
      /api 4711 on there does not say what it has acknowledged \(at least 1-4\): waiting to hear it$/,
    );
    await vi.waitUntil(
      async () => {
        await watch.look();
        return !reasons().includes('waiting to hear it');
      },
      { timeout: 20_000 },
    );
    expect(reasons()).toMatch(
      /\(at least 1-4\): bring it back, or if it is gone for good: .*bootakhae recover/,
    );
    await speak({ epoch: 1, sequence: 5 }, { id, isStopped: false });
    await watch.look();
    await expectRecovered(2, 95);
  });

  test('a gap in the journal: entries after it are applied, when the loss is accepted', async () => {
    await orderOneByOne(5);
    await drainUpTo(2);
    await redis.client.xtrim(KEYS.journal, 'MINID', '1-4');
    await watch.look();
    expect(reasons()).toMatch(/gap: MariaDB is at 1-2, the next entry is 1-4/);
    await recover({ ...parts(), needs, acceptLoss: true });
    expect(await redis.client.hget(KEYS.levels, 'a')).toBe('96');
    expect(await reconcile(parts())).toMatchObject({ drifts: [] });
  });

  test('a dead letter whose effect may be older or newer than what MariaDB has', async () => {
    await drainUpTo(0);
    await setAside('1-0', packMessage([1, 'wishlists', 5, [['u', 'a', 1]]]));
    await redis.client.flushall();
    await watch.look();
    expect(reasons()).toMatch(/dead letter 1-0 may be newer or older/);
  });
});

test('P6: a process that fell silent while all was well is not waited for afterwards', async () => {
  await orderOneByOne(2);
  const quiet = { isStopped: false };
  await speak({ epoch: 1, sequence: 1 }, quiet);
  await maria.database.query
    .updateTable('processes')
    .set({ seen_at: new Date(Date.now() - 60_000) })
    .execute();
  await markVetted(redis.client, (await readJournalState(redis.client)).run);
  const isCounted = async () =>
    (await maria.database.query.selectFrom('processes').select('stopped_at').executeTakeFirstOrThrow())
      .stopped_at;
  await watch.look();
  expect(await isCounted()).toBeNull(); // MariaDB lacks entries that it may have acknowledged
  await drainUpTo(2);
  await watch.look();
  expect(await isCounted()).not.toBeNull();
});

test('P4: whoever read the checkpoint before a recovery commits nothing after it', async () => {
  await orderOneByOne(5);
  await drainUpTo(3);
  const paused = await readCheckpoint(maria.database);
  const entries = await readEntriesAfter(redis.client, paused, { count: 2 });
  await redis.client.flushall();
  await recover({ ...parts(), needs, acceptLoss: true });
  await expect(applyEntries(maria.database, paused, entries)).rejects.toThrow(CheckpointMoved);
});

test('P6: calls of an older epoch, and the pages of a recovery that was overtaken, are fenced off', async () => {
  await drainUpTo(0);
  await redis.client.flushall();
  await recover({ ...parts(), needs, acceptLoss: false });
  const order = open(placeOrders, 1).submit({ user: 'u', lines: [{ sku: 'a', quantity: 1 }] });
  await expect(order).rejects.toThrow(/FENCED/);
  await redis.client.set(KEYS.recovering, 3);
  const page = { key: KEYS.levels, command: 'HSET', values: ['a', '7'] } as const;
  await expect(rebuildPage(redis.client, 2, page)).rejects.toThrow(/FENCED another recovery/);
  expect(await redis.client.hget(KEYS.levels, 'a')).toBe('100');
});

/** Redis as it was at entry 1-`sequence`: its journal ends there. */
async function loseAfter(sequence: number): Promise<void> {
  const kept = await readStoredEntriesAfter(redis.client, ORIGIN, { count: 1_000 });
  await redis.client.del(KEYS.journal);
  for (const { position, content } of kept)
    if (position.sequence <= sequence)
      await redis.client.xadd(KEYS.journal, formatPosition(position), 'entry', content);
  await redis.client.call('COPY', 'levels as they were', KEYS.levels, 'REPLACE');
}

/** As the writer does with an entry that MariaDB refuses: all before it is applied, and the checkpoint moves past it. */
async function setAside(id: string, content?: Buffer): Promise<void> {
  const [stored] = await readStoredEntriesAfter(redis.client, ORIGIN, { count: 1_000 }).then((all) =>
    all.filter(({ position }) => formatPosition(position) === id),
  );
  if (stored!.position.sequence > 0) await drainUpTo(stored!.position.sequence - 1);
  const row = {
    kind: 'x',
    code: null,
    reason: 'r',
    position: stored!.position,
    content: content ?? stored!.content,
  };
  await maria.database.transaction((transaction) => insertDeadLetters(transaction, [row]));
  await maria.database.query.updateTable('journal_checkpoint').set(stored!.position).execute();
}
