import { sql } from 'kysely';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { insertDeadLetters } from '../../engine/database/statements/insert-dead-letters.ts';
import { parsePosition } from '../../engine/domain/position.ts';
import { readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { makeCompensations } from '../../writer/reconcile/fix.ts';
import { planFixes } from '../../writer/reconcile/plan.ts';
import { compareAll } from '../../writer/reconcile/reconcile.ts';
import { runCommand } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
/** A folder in which no local stack runs. */
const NO_STACK = ['--data', 'test/no-stack-here'];
const SKUS = ['tea', 'cup', 'pot'];

async function reconcile(...words: string[]) {
  const { code, stdout, stderr } = await runCommand(
    ['reconcile', '--json', ...words, ...NO_STACK],
    api.environment,
  );
  return { code, stderr, result: stdout ? JSON.parse(stdout) : null };
}

const query = async (text: string) =>
  (await sql.raw<Record<string, unknown>>(text).execute(api.database.query)).rows;

/** Both sides whole, as far as stock goes. */
async function wholeState(): Promise<unknown> {
  return [
    await api.state(),
    await api.redis.get(KEYS.compensated),
    await query('select * from stock_levels order by sku, pool'),
    await query('select * from stock_movements order by entry, line'),
  ];
}

beforeAll(async () => {
  for (const sku of SKUS) await api.put(sku, { stock: 100_000 });
  for (let at = 0; at < 4; at++) await api.order('mina', [{ sku: 'tea', quantity: 2 }]);
  await api.drain();
});

afterEach(async () => {
  expect((await reconcile()).result.drifts).toEqual([]);
  await api.drain();
  expect((await reconcile()).result.drifts).toEqual([]);
});

/** What is off, and the three deltas that mend it. */
const HARMS: [string, () => Promise<unknown>, [number, number, number]][] = [
  ["Redis's level", () => api.redis.hincrby(KEYS.levels, 'tea', 5), [-5, 0, 0]],
  [
    "MariaDB's level",
    () => query("update stock_levels set available = available - 3 where sku = 'tea'"),
    [0, 3, 0],
  ],
  [
    'a movement',
    () => query("update stock_movements set delta = delta + 4 where sku = 'tea' and kind = 'load'"),
    [0, 0, -4],
  ],
  ['an order', () => query("update orders set status = 'cancelled' order by id limit 1"), [0, 0, -2]],
  [
    'all of them at once: movements and orders hold',
    async () => {
      await api.redis.hincrby(KEYS.levels, 'tea', 5);
      await query("update stock_levels set available = available - 3 where sku = 'tea'");
    },
    [-5, 3, 0],
  ],
];

describe.each(HARMS)('after harm to %s', (_, harm, [redisDelta, levelDelta, movementDelta]) => {
  test('a dry run says what would be done and does nothing; --yes does it; again, there is nothing to do', async () => {
    await harm();
    const before = await wholeState();
    const dry = await reconcile('--fix');
    expect(dry.code).toBe(1);
    expect(dry.result.fix.compensations).toMatchObject([
      { sku: 'tea', pool: 'regular', redisDelta, levelDelta, movementDelta },
    ]);
    expect(await wholeState()).toEqual(before);

    const done = await reconcile('--fix', '--yes', '--reason', 'a test did harm');
    expect([done.code, done.result.drifts, done.result.fix.done.made.length]).toEqual([0, [], 1]);
    await api.drain();
    const rows = await query("select * from stock_movements where kind = 'compensation' order by moved_at");
    expect(rows.at(-1)).toMatchObject({ sku: 'tea', pool: 'regular', delta: movementDelta });
    expect((rows.at(-1) as { reason: string }).reason).toMatch(
      /^redis [+-]?\d+, level [+-]?\d+: a test did harm$/,
    );

    const fixed = await wholeState();
    const again = await reconcile('--fix', '--yes');
    expect([again.code, again.result.drifts]).toEqual([0, []]);
    expect(await wholeState()).toEqual(fixed);
  });
});

test('units are given back while orders flow and a writer drains: nothing is sold twice', async () => {
  const before = Number(await api.redis.hget(KEYS.levels, 'cup'));
  const writer = api.start(['writer'], { WRITER_ENTRIES: '3' });
  let open = true;
  let sold = 0;
  const shopper = async (user: string) => {
    while (open) {
      expect((await api.order(user, [{ sku: 'cup', quantity: 1 }])).status).toBe(201);
      sold += 1;
    }
  };
  const shoppers = [1, 2, 3, 4].map((at) => shopper(`shopper ${at}`));
  const kept = async () => Number((await query('select sequence from journal_checkpoint'))[0]!.sequence);
  const keptBefore = await kept();
  await vi.waitUntil(async () => (await kept()) > keptBefore, { timeout: 20_000 }); // the writer has begun
  await api.redis.hincrby(KEYS.levels, 'cup', -1_000);
  const { code, result } = await reconcile('--fix', '--yes');
  open = false;
  await Promise.all(shoppers);
  expect([code, result.drifts]).toEqual([0, []]);
  expect(sold).toBeGreaterThan(0);
  expect(Number(await api.redis.hget(KEYS.levels, 'cup'))).toBe(before - sold);
  expect(await writer.stop()).toBe(0);
});

test('of two who compensate the same findings at once, one does', async () => {
  await api.redis.hincrby(KEYS.levels, 'pot', 7);
  const { redis, database } = api;
  const fixOnce = async () => {
    const { reconciliation, compensated } = await compareAll({ redis, database, clock: systemClock });
    return { reconciliation, compensated };
  };
  const both = [await fixOnce(), await fixOnce()];
  const results = await Promise.all(
    both.map(({ reconciliation: { drifts, epoch }, compensated: since }) => {
      const lane = new Lane({ redis, clock: systemClock, epoch: () => epoch, deadlineMs: 5_000 });
      const { compensations } = planFixes(drifts, 'a test');
      expect(compensations).toHaveLength(1);
      return makeCompensations(compensations, { lane, clock: systemClock, epoch, since });
    }),
  );
  expect(results.map(({ made, isConflict }) => [made.length, isConflict]).sort()).toEqual([
    [0, true],
    [1, false],
  ]);
});

describe('entries that MariaDB refused', () => {
  /** Sets the next order's entry aside as the writer does: kept whole, the checkpoint moved past it. */
  async function setAside(content?: Buffer): Promise<string> {
    const last = parsePosition(
      (
        (await query('select concat(epoch, "-", sequence) as at from journal_checkpoint')) as { at: string }[]
      )[0]!.at,
    );
    await api.order('mina', [{ sku: 'tea', quantity: 3 }]);
    const [stored] = await readStoredEntriesAfter(api.redis, last, { count: 1 });
    const letter = { position: stored!.position, content: content ?? stored!.content };
    await api.database.transaction(async (transaction) => {
      await insertDeadLetters(transaction, [{ ...letter, kind: 'orders', code: null, reason: 'a test' }]);
      await transaction.query('update journal_checkpoint set sequence = sequence + 1');
    });
    return `${stored!.position.epoch}-${stored!.position.sequence}`;
  }

  const settle = () => query("update dead_letters set status = 'dropped' where status = 'waiting'");

  test('are named while they wait, hide nothing else, and what Redis did for one that is dropped is given back', async () => {
    const entry = await setAside();
    const waiting = await reconcile();
    expect([waiting.code, waiting.result.drifts]).toEqual([
      1,
      [expect.objectContaining({ kind: 'dead_letter', entry })],
    ]);
    await settle();
    const dropped = await reconcile();
    expect(dropped.result.drifts).toMatchObject([{ kind: 'level', sku: 'tea', difference: -3 }]);
    const fixed = await reconcile('--fix', '--yes');
    expect(fixed.result.fix.compensations).toMatchObject([
      { redisDelta: 3, levelDelta: 0, movementDelta: 0 },
    ]);
    expect([fixed.code, fixed.result.drifts]).toEqual([0, []]);
  });

  test('and cannot be read: nothing is compensated before that is settled', async () => {
    const entry = await setAside(Buffer.from('no MessagePack array'));
    const { code, result } = await reconcile('--fix', '--yes');
    expect(code).toBe(1);
    expect(result.drifts).toMatchObject([
      { kind: 'dead_letter', entry },
      { kind: 'journal', entry },
      { kind: 'level' },
    ]);
    expect(result.fix).toMatchObject({ compensations: [], done: null });
    await settle();
    expect((await reconcile('--fix', '--yes')).result.drifts).toEqual([]);
  });
});

test('what would agree below zero is refused, and said', async () => {
  const units = Number(await api.redis.hget(KEYS.levels, 'pot'));
  const set = (delta: number) =>
    query(`update stock_movements set delta = delta + ${delta} where sku = 'pot' and kind = 'load'`);
  await api.redis.hincrby(KEYS.levels, 'pot', 1);
  await set(-2 * units);
  const { code, result } = await reconcile('--fix', '--yes');
  await set(2 * units);
  await api.redis.hincrby(KEYS.levels, 'pot', -1);
  expect([code, result.fix.compensations]).toEqual([1, []]);
  expect(result.fix.unfixed[0].advice).toMatch(/add stock first/);
});

test('no comparison while Redis is being rebuilt', async () => {
  await api.redis.set(KEYS.recovering, 'x');
  const { code, stderr } = await reconcile();
  await api.redis.del(KEYS.recovering);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/could not compare: a recovery is under way/)]);
});

test('--watch says a line a round and ends with the code of the last', async () => {
  const watching = api.start(['reconcile', '--watch', '1', ...NO_STACK]);
  await watching.waitForLog(({ msg }) => / consistent \(/.test(msg));
  await api.redis.hincrby(KEYS.levels, 'pot', 1);
  await watching.waitForLog(({ msg }) => / DRIFT: 1 found/.test(msg));
  expect(await watching.stop('SIGINT')).toBe(1);
  await api.redis.hincrby(KEYS.levels, 'pot', -1);
});
