import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startMariaDB } from '../../cli/stack/mariadb.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import { useRedis } from '../../test/fixtures/servers.ts';
import { connectDatabase, type Database } from '../database/database.ts';
import { migrate } from '../database/migrate.ts';
import { readProcesses } from '../database/statements/read-processes.ts';
import { type Position, parsePosition } from '../domain/position.ts';
import { KEYS } from '../redis/keys.ts';
import { readMirror } from '../redis/process-mirror.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';
import { VERSION } from '../runtime/version.ts';
import { Heartbeat } from './heartbeat.ts';
import type { ProcessCard } from './report.ts';

const redis = useRedis();
let directory = '';
let server: RunningServer;
let database: Database;
let heartbeat: Heartbeat;
let acknowledged: Position;
let beats = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-heartbeat-'));
  server = await startMariaDB({ dataDirectory: directory });
  database = connectDatabase(server.url, 1);
  await migrate(database);
});

afterAll(async () => {
  await database.close();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  await redis.client.flushall();
  await database.query.deleteFrom('processes').execute();
  acknowledged = parsePosition('1-7');
  beats = 0;
  heartbeat = new Heartbeat({
    kind: 'api',
    redis: redis.client,
    database,
    clock: systemClock,
    logger: createLogger('heartbeat', 'silent'),
    url: () => 'http://127.0.0.1:1',
    acknowledged: () => acknowledged,
    report: () => {
      beats += 1;
      return { queue: { waiting: 3, bound: 9 } };
    },
  });
});

afterEach(() => heartbeat.stop());

const rows = () => readProcesses(database, 1_000);
const cards = async () => [...(await readMirror(redis.client)).values()].map(({ content }) => content);

test('says in both places who it is and what it is at', async () => {
  await heartbeat.beat();
  const who = {
    id: heartbeat.id,
    kind: 'api',
    pid: process.pid,
    version: VERSION,
    url: 'http://127.0.0.1:1',
  };
  const report = { queue: { waiting: 3, bound: 9 }, breakers: { redis: 'closed', mariadb: 'closed' } };
  expect(await cards()).toEqual([
    expect.objectContaining({ ...who, acknowledged, report, isStopped: false }),
  ]);
  const [row] = await rows();
  expect(row).toMatchObject({ ...who, acknowledged, isStopped: false });
  expect(JSON.parse(row!.report)).toEqual(report);
  expect(row!.seenAgoMs).toBeLessThan(2_000);
});

test('what it has acknowledged follows, and its end is marked', async () => {
  await heartbeat.beat();
  acknowledged = parsePosition('1-9');
  await heartbeat.stop();
  expect(await rows()).toMatchObject([{ acknowledged, isStopped: true }]);
  expect(await cards()).toMatchObject([{ isStopped: true }]);
});

describe('MariaDB stopped in its tracks', () => {
  afterEach(() => {
    process.kill(server.pid, 'SIGCONT');
  });

  test('it goes on in Redis, does not pile up, and comes back by itself', async () => {
    heartbeat.start();
    await vi.waitUntil(async () => (await rows()).length === 1, { timeout: 10_000 });
    process.kill(server.pid, 'SIGSTOP');
    const isSaidInRedis = async () =>
      ((await cards()) as ProcessCard[]).some(({ report }) => report.breakers.mariadb === 'open');
    await vi.waitUntil(isSaidInRedis, { timeout: 10_000 });
    const before = beats;
    await vi.waitUntil(() => beats >= before + 3, { timeout: 20_000 });
    expect(database.pool.taskQueueSize()).toBeLessThanOrEqual(1);
    process.kill(server.pid, 'SIGCONT');
    await vi.waitUntil(() => heartbeat.breakers.mariadb === 'closed', { timeout: 20_000 });
  });

  test('its end takes a moment, no more', async () => {
    await heartbeat.beat();
    process.kill(server.pid, 'SIGSTOP');
    const startedAt = performance.now();
    await heartbeat.stop();
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('what is old', () => {
  async function insert(id: string, daysAgo: number, at: Position): Promise<void> {
    await sql`insert into processes (id, kind, host, pid, version, started_at, seen_at, acknowledged_epoch,
      acknowledged_sequence, report) values (${id}, 'api', 'h', 1, '1', utc_timestamp(), utc_timestamp(3) - interval ${daysAgo} day,
      ${at.epoch}, ${at.sequence}, '{}')`.execute(database.query);
  }

  test('P3: goes after a week, but for who acknowledged what MariaDB does not have', async () => {
    await database.query.updateTable('journal_checkpoint').set({ epoch: 1, sequence: 50 }).execute();
    await insert('drained', 8, parsePosition('1-50'));
    await insert('witness', 8, parsePosition('1-51'));
    await insert('recent', 6, parsePosition('1-1'));
    await heartbeat.beat();
    expect((await rows()).map(({ id }) => id).sort()).toEqual([heartbeat.id, 'recent', 'witness'].sort());
  });

  test('in Redis goes after a day', async () => {
    const dayAgo = Date.now() - 86_400_000;
    await redis.client.hset(KEYS.processes, {
      gone: JSON.stringify({ seenAtMs: dayAgo - 60_000, content: {} }),
      kept: JSON.stringify({ seenAtMs: dayAgo + 60_000, content: {} }),
    });
    await heartbeat.beat();
    expect((await redis.client.hkeys(KEYS.processes)).sort()).toEqual([heartbeat.id, 'kept'].sort());
  });
});
