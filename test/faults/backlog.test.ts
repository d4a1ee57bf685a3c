import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { useOwnDatabase } from '../fixtures/own-database.ts';
import { type StartedProcess, startApi } from '../fixtures/processes.ts';
import { expectProblem, RunningApi } from '../fixtures/running-api.ts';
import { useRedis } from '../fixtures/servers.ts';
import { countStatuses, Rush, type Told } from './rush.ts';

/**
 * MariaDB falls behind, or is away: nothing is lost and nothing stops until the journal is full; then all that would write
 * is refused, and it opens again by itself. `BACKLOG_SECONDS` is how long MariaDB is away under load (3 in `npm test`), and
 * `BACKLOG_BUYERS` how many order at once, in multiples of 24; what was measured is printed.
 */
const SECONDS = Number(process.env.BACKLOG_SECONDS ?? 3);
const RUSHES = Number(process.env.BACKLOG_BUYERS ?? 24) / 24;
const BOUND_ENTRIES = 150;
const PLENTY = 9_000_000;

const redis = useRedis();
const maria = useOwnDatabase();
const api = new RunningApi(redis, maria);
let writer: StartedProcess | null = null;

async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  const started = api.keep(await startApi({ ...api.environment, ...environment }));
  [api.process, api.url] = [started, started.url];
}

beforeAll(async () => {
  await start({});
  await api.put('tea', { stock: PLENTY });
  await api.put('cup', { stock: PLENTY });
  expect(await api.process.stop()).toBe(0);
});

afterAll(() => api.killLeftovers());

const waiting = () => api.redis.xlen(KEYS.journal);
const untilDrained = () =>
  vi.waitUntil(async () => (await waiting()) === 0, { timeout: 300_000, interval: 20 });

/** Every 201 is one order in MariaDB, and there are no others. */
async function expectEachOnce(told: readonly Told[]): Promise<void> {
  const rows = await maria.database.query.selectFrom('orders').select('id').execute();
  const kept = new Set(rows.map(({ id }) => id));
  const accepted = told.flatMap(({ id }) => (id === null ? [] : [id]));
  expect(accepted.filter((id) => !kept.has(id))).toEqual([]);
  expect(kept.size).toBe(accepted.length);
  await api.expectConsistent();
}

describe('P7: the journal is full', () => {
  const FULL =
    /^the journal is full: \d+ entries, \d+ bytes wait for MariaDB, the bound is 150 entries, \d+ bytes: see docs\/RUNBOOK\.md$/;
  const everything: Told[] = [];

  test('without a writer it fills; then all that would write is refused, and nothing is taken', async () => {
    await start({ JOURNAL_ENTRIES: String(BOUND_ENTRIES) });
    const rush = new Rush(api.url);
    await rush.until(503, 30);
    everything.push(...(await rush.stop()));
    expect(Object.keys(countStatuses(everything)).sort()).toEqual(['201', '503']);
    const [entries, state] = [await waiting(), await api.state()];
    expect(entries).toBeGreaterThanOrEqual(BOUND_ENTRIES);
    const token = tokenFor('the operator', 'operator');
    const items = [{ sku: 'tea', quantity: 1 }];
    const put = { name: 'tea', price: 1 };
    for (const [method, path, body] of [
      ['POST', '/api/v1/orders', { items }],
      ['PUT', '/api/v1/wishlist/tea', { quantity: 1 }],
      ['PUT', '/api/v1/products/tea', put],
      ['POST', '/api/v1/products/tea/adjustments', { delta: 1, reason: 'found' }],
    ] as const) {
      const answer = await api.call(path, { method, token, body });
      expectProblem(answer, 503, 'not_accepting');
      expect(answer.body.detail).toMatch(FULL);
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect(await api.state()).toEqual(state);
    expect((await api.call('/readyz')).body.reasons).toEqual([expect.stringMatching(FULL)]);
    expect((await api.call('/api/v1/products/tea')).status).toBe(200);
  });

  test('what there is of it is drained, and it opens by itself', async () => {
    writer = api.start(['writer']);
    await vi.waitUntil(async () => (await api.call('/readyz')).status === 200, { timeout: 20_000 });
    const rush = new Rush(api.url);
    await rush.until(201, 50);
    everything.push(...(await rush.stop()));
    await untilDrained();
    await expectEachOnce(everything);
    expect(await writer.stop()).toBe(0);
    expect(await api.process.stop()).toBe(0);
  });
});

describe('MariaDB away under load', () => {
  test(`P3, P5: for ${SECONDS} s nobody is refused; then it is drained, and every order is there once`, async () => {
    const before = await maria.database.query.selectFrom('orders').select('id').execute();
    await start({});
    writer = api.start(['writer']);
    const page = String((await writer.waitForLog(({ url }) => url !== undefined)).url);
    await maria.stop();
    const rushes = Array.from({ length: RUSHES }, () => new Rush(api.url));
    const startedAt = performance.now();
    await vi.waitUntil(() => performance.now() - startedAt >= SECONDS * 1_000, { timeout: 1_000_000 });
    const told = (await Promise.all(rushes.map((rush) => rush.stop()))).flat();
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(Object.keys(countStatuses(told))).toEqual(['201']);
    const { backlog, rate } = { backlog: await waiting(), rate: Math.round(told.length / seconds) };
    const bytes = Number(await api.redis.memory('USAGE', KEYS.journal, 'SAMPLES', 0));
    await expectReadable(told);
    await maria.start();
    await writer.waitForLog(({ msg }) => msg === 'applying again');
    const drainedAt = performance.now();
    const left = await readApplied(page);
    await untilDrained();
    const drainMs = performance.now() - drainedAt;
    const applied = await readApplied(page);
    const speed = (done: number, from: number) => Math.round(((done - from) / drainMs) * 1_000);
    console.log(
      `${seconds.toFixed(0)} s away: ${told.length} orders (${rate}/s), ${backlog} entries, ${bytes} bytes; the last ` +
        `${applied.entries - left.entries} entries drained in ${drainMs.toFixed(0)} ms, ` +
        `${speed(applied.entries, left.entries)} entries/s, ${speed(applied.rows, left.rows)} rows/s`,
    );
    const earlier = before.map(({ id }) => ({ user: '', status: 201, id }));
    await expectEachOnce([...told, ...earlier]);
  }, 2_000_000);

  test('an api that starts meanwhile says what it waits for, and opens when MariaDB is back', async () => {
    await maria.stop();
    const late = api.start(['api'], { PORT: '0' });
    const url = String((await late.waitForLog(({ msg }) => msg === 'listening')).url);
    const isSaid = async () =>
      /^cannot compare: /.test((await call(`${url}/readyz`)).body.reasons?.[0] ?? '');
    await vi.waitUntil(isSaid, { timeout: 20_000 });
    expectProblem(
      await call(`${url}/api/v1/orders/0001000000000000`, { token: tokenFor('mina') }),
      503,
      'not_accepting',
    );
    await maria.start();
    await vi.waitUntil(async () => (await call(`${url}/readyz`)).status === 200, { timeout: 20_000 });
    expect(await late.stop()).toBe(0);
  });
});

/** What a writer has applied since it started, as its metrics say. */
async function readApplied(url: string): Promise<{ entries: number; rows: number }> {
  const { body } = await call(`${url}/metrics`);
  const read = (name: string) =>
    Number(new RegExp(`^bootakhae_writer_${name}_total (\\d+)`, 'm').exec(body)?.[1]);
  return { entries: read('entries'), rows: read('rows') };
}

/** Orders that wait in the journal are shown; of others it is said that they cannot be read, at once. */
async function expectReadable(told: readonly Told[]): Promise<void> {
  const { user, id } = told.at(-1)!;
  expect((await api.call(`/api/v1/orders/${id}`, { token: tokenFor(user) })).status).toBe(200);
  const startedAt = performance.now();
  const answer = await api.call('/api/v1/orders/0001000000000000', { token: tokenFor(user) });
  expectProblem(answer, 503, 'not_accepting');
  expect(performance.now() - startedAt).toBeLessThan(4_000);
}
