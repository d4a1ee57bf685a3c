import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import { comparePositions, formatPosition } from '../../engine/domain/position.ts';
import { countEntries, readLastPosition } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { type StartedProcess, startScript } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

/**
 * Writers as processes of their own that are killed or stopped at a chosen moment. Each test ends with every order in MariaDB
 * once and all sides consistent.
 */
const api = useApi();
const PATIENCE = { timeout: 40_000, interval: 20 };
const started: StartedProcess[] = [];
let acknowledged = 0;

beforeAll(async () => {
  for (const sku of ['tea', 'cup']) await api.put(sku, { stock: 1_000_000 });
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((writer) => writer.stop('SIGKILL')));
  await lapseLease();
});

/** As if its time were over: only one test waits for that. */
const lapseLease = () => api.database.pool.query("update leases set until = '2000-01-01'");

async function order(count: number): Promise<void> {
  const lines = [
    { sku: 'tea', quantity: 1 },
    { sku: 'cup', quantity: 2 },
  ];
  const answers = await Promise.all(
    Array.from({ length: count }, (_, at) => api.order(`buyer ${acknowledged + at}`, lines)),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  acknowledged += count;
}

function keep(writer: StartedProcess): StartedProcess {
  started.push(writer);
  return api.keep(writer);
}

const startWriter = () => keep(api.start(['writer']));
const startCrashingWriter = (moment: string, nth: number, signal: NodeJS.Signals) =>
  keep(startScript(['test/faults/crashing-writer.mjs', moment, String(nth), signal], api.environment));

const untilDrained = () => vi.waitUntil(async () => (await countEntries(api.redis)) === 0, PATIENCE);
const isCommitted = async () =>
  comparePositions(await readCheckpoint(api.database), await readLastPosition(api.redis)) === 0;
const until = (writer: StartedProcess, text: RegExp) => writer.waitForLog(({ msg }) => text.test(msg));

async function countRows(table: string): Promise<number> {
  const [{ count }] = await api.database.pool.query(`select count(*) as count from ${table}`);
  return count;
}

async function expectEachOnce(): Promise<void> {
  await untilDrained();
  expect(await countRows('orders')).toBe(acknowledged);
  expect(await countRows('order_items')).toBe(2 * acknowledged);
  expect(await countRows('dead_letters')).toBe(0);
  await expectOutboxWhole();
  await api.expectConsistent();
}

/** Nobody publishes here: every entry of the journal is there, once, in the order of the journal. */
async function expectOutboxWhole(): Promise<void> {
  const rows: { epoch: number; sequence: number }[] = await api.database.pool.query(
    'select epoch, sequence from outbox order by id',
  );
  const { epoch, sequence } = await readCheckpoint(api.database);
  const whole = Array.from({ length: sequence + 1 }, (_, at) => ({ epoch, sequence: at }));
  expect(rows).toEqual(whole);
}

describe('P4: a writer that is killed around its commit is followed by one that goes on from there', () => {
  test.each([
    { moment: 'before transaction', committed: false, trimmed: false },
    { moment: 'before commit', committed: false, trimmed: false },
    { moment: 'after commit', committed: true, trimmed: false },
    { moment: 'after trim', committed: true, trimmed: true },
  ])('$moment', async ({ moment, committed, trimmed }) => {
    await order(30);
    const { exitOf } = watch(startCrashingWriter(moment, 1, 'SIGKILL'));
    expect(await exitOf).toBe('SIGKILL');
    expect(await isCommitted()).toBe(committed);
    expect((await countEntries(api.redis)) === 0).toBe(trimmed);
    await order(10);
    await lapseLease();
    startWriter();
    await expectEachOnce();
  });

  test('again and again, at every moment in turn, while orders come in', async () => {
    for (let round = 0; round < 8; round++) {
      await lapseLease();
      const moment = ['before transaction', 'before commit', 'after commit', 'after trim'][round % 4]!;
      const { exitOf } = watch(startCrashingWriter(moment, 1 + (round % 3), 'SIGKILL'));
      let hasEnded = false;
      void exitOf.then(() => {
        hasEnded = true;
      });
      while (!hasEnded) await order(5);
    }
    await lapseLease();
    startWriter();
    await expectEachOnce();
  });
});

function watch({ child }: StartedProcess): { exitOf: Promise<NodeJS.Signals | null> } {
  return { exitOf: new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal))) };
}

describe('P4: of several writers one works', () => {
  test('three: two stand by; when the one is killed, another takes over once the lease has lapsed', async () => {
    const first = startWriter();
    await order(5);
    await untilDrained();
    const others = [startWriter(), startWriter()];
    await Promise.all(others.map((writer) => until(writer, /standing by/)));
    await first.stop('SIGKILL');
    const killedAt = performance.now();
    await order(20);
    await Promise.any(others.map((writer) => until(writer, /taking over/)));
    await expectEachOnce();
    expect(performance.now() - killedAt).toBeLessThan(20_000);
  });

  test('two: one that stops in order gives the lease back, and the other takes over at once', async () => {
    const first = startWriter();
    await order(5);
    await untilDrained();
    const second = startWriter();
    await until(second, /standing by/);
    expect(await first.stop()).toBe(0);
    const stoppedAt = performance.now();
    await until(second, /taking over/);
    expect(performance.now() - stoppedAt).toBeLessThan(5_000);
    await order(5);
    await expectEachOnce();
  });

  test.each(['before transaction', 'before commit', 'after commit'])(
    'one that sleeps %s past its lease, and wakes when another has gone on, changes nothing',
    async (moment) => {
      await order(20);
      const sleeper = startCrashingWriter(moment, 1, 'SIGSTOP');
      await vi.waitUntil(() => isStopped(sleeper.child.pid!), PATIENCE);
      await lapseLease();
      startWriter();
      await order(20);
      await untilDrained();
      const before = formatPosition(await readCheckpoint(api.database));
      sleeper.child.kill('SIGCONT');
      await until(sleeper, /standing by/);
      expect(formatPosition(await readCheckpoint(api.database))).toBe(before);
      await order(10);
      await expectEachOnce();
      expect(await api.redis.hlen(KEYS.settled)).toBe(0);
    },
  );
});

async function isStopped(pid: number): Promise<boolean> {
  return / T /.test((await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\)/, ''));
}
