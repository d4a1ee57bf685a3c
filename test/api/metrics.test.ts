import { beforeAll, describe, expect, test, vi } from 'vitest';
import { noteReconciliation } from '../../engine/processes/reconciliation-note.ts';
import { METRICS, type ProcessKind } from '../../engine/runtime/metrics.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
let writer: StartedProcess;
let writerUrl = '';

beforeAll(async () => {
  writer = api.start(['writer']);
  writerUrl = String((await writer.waitForLog(({ url }) => url !== undefined)).url);
  await api.put('tea', { stock: 5 });
});

/** `name{label="value"}` → value. */
async function readFigures(url: string): Promise<ReadonlyMap<string, number>> {
  const { status, headers, body } = await call(`${url}/metrics`);
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const lines = String(body)
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

async function untilFigure(url: string, name: string, isRight: (value: number) => boolean): Promise<void> {
  const look = async () => isRight((await readFigures(url)).get(name) ?? Number.NaN);
  await vi.waitUntil(look, { timeout: 15_000, interval: 100 });
}

test('the scheduler answers while RabbitMQ is away, and says so', async () => {
  const scheduler = api.start(['scheduler'], { AMQP_URL: 'amqp://127.0.0.1:1' });
  const url = String((await scheduler.waitForLog(({ msg }) => msg === 'started')).url);
  await scheduler.waitForLog(({ msg }) => msg === 'gate open');
  await untilFigure(url, 'bootakhae_announcer_mode{mode="LEADING"}', (value) => value === 1);
  expect((await call(`${url}/readyz`)).body).toEqual({ status: 'not ready', reasons: ['RabbitMQ is away'] });
  const figures = await readFigures(url);
  expect(figures.get('bootakhae_broker_connected')).toBe(0);
  expect(figures.get('bootakhae_connection_open{server="rabbitmq"}')).toBe(0);
  expect(figures.get('bootakhae_gate_open')).toBe(1);
  expect(figures.get('bootakhae_events_overdue')).toBe(0);
  expect((await call(`${url}/nowhere`)).status).toBe(404);
  expect(await scheduler.stop()).toBe(0);
});

test('a scheduler says and does only what its roles are for', async () => {
  const scheduler = api.start(['scheduler'], {
    AMQP_URL: 'amqp://127.0.0.1:1',
    SCHEDULER_ROLES: 'announce',
  });
  const url = String((await scheduler.waitForLog(({ msg }) => msg === 'started')).url);
  const figures = await readFigures(url);
  expect(figures.get('bootakhae_scheduler_role{role="announce"}')).toBe(1);
  expect(figures.has('bootakhae_scheduler_role{role="consume"}')).toBe(false);
  expect(figures.has('bootakhae_gate_open')).toBe(false);
  expect(await scheduler.stop()).toBe(0);
});

test.each(['api', 'writer'] as const)(
  'the page of %s has its part of the catalogue, typed',
  async (process) => {
    const { body } = await call(`${process === 'api' ? api.url : writerUrl}/metrics`);
    const typed = [...String(body).matchAll(/^# TYPE (bootakhae_\w+) (\w+)$/gm)].map(([, name, type]) => [
      name,
      type,
    ]);
    const expected = Object.entries(METRICS)
      .filter(([, { of }]) => (of as readonly ProcessKind[]).includes(process))
      .map(([name, { type }]) => [name, type]);
    expect(typed).toEqual(expected);
    expect(body).toContain('process_resident_memory_bytes');
  },
);

describe('of the api', () => {
  test('what became of each order, and how long it took', async () => {
    const before = await readFigures(api.url);
    await api.order('mina', [{ sku: 'tea', quantity: 2 }]);
    await api.order('mina', [{ sku: 'tea', quantity: 9 }]);
    await api.order('mina', [{ sku: 'coffee', quantity: 1 }]);
    const once = { method: 'POST', token: tokenFor('mina'), headers: { 'idempotency-key': 'k' } };
    for (let time = 0; time < 2; time++)
      await api.call('/api/v1/orders', { ...once, body: { items: [{ sku: 'tea', quantity: 1 }] } });
    const after = await readFigures(api.url);
    const grown = (name: string) => after.get(name)! - before.get(name)!;
    const outcomes = ['accepted', 'replayed', 'out_of_stock', 'unknown_product', 'not_accepting'];
    expect(outcomes.map((outcome) => grown(`bootakhae_orders_total{outcome="${outcome}"}`))).toEqual([
      2, 1, 1, 1, 0,
    ]);
    expect(grown('bootakhae_decision_seconds_count')).toBe(5);
    expect(grown('bootakhae_decision_seconds_bucket{le="+Inf"}')).toBe(5);
    expect(grown('bootakhae_call_orders_total')).toBe(5);
    expect(grown('bootakhae_calls_total')).toBe(5);
    expect(grown('bootakhae_http_responses_total{class="2xx"}')).toBe(4);
    expect(grown('bootakhae_http_responses_total{class="4xx"}')).toBe(2);
  });

  test('the gate, the backlog and its bound', async () => {
    const figures = await readFigures(api.url);
    expect(figures.get('bootakhae_gate_open')).toBe(1);
    expect(figures.get('bootakhae_epoch')).toBe(1);
    expect(figures.get('bootakhae_backlog_bound_bytes')).toBeGreaterThan(1_000_000);
    expect(figures.get('bootakhae_redis_silence_seconds')).toBeLessThan(3);
    await untilFigure(api.url, 'bootakhae_connection_open{server="mariadb"}', (value) => value === 1);
  });
});

describe('of the writer', () => {
  test('how far it is, and what it has done', async () => {
    await api.order('mina', [{ sku: 'tea', quantity: 1 }]);
    await untilFigure(writerUrl, 'bootakhae_writer_entries_total', (value) => value >= 3);
    await untilFigure(writerUrl, 'bootakhae_writer_lag_entries', (value) => value === 0);
    const figures = await readFigures(writerUrl);
    expect(figures.get('bootakhae_writer_lease')).toBe(1);
    expect(figures.get('bootakhae_writer_checkpoint_epoch')).toBe(1);
    expect(figures.get('bootakhae_writer_commit_seconds_count')).toBeGreaterThan(0);
    expect(figures.get('bootakhae_writer_rows_total')).toBeGreaterThan(3);
    expect(figures.get('bootakhae_dead_letters_waiting')).toBe(0);
  });

  test('what the last reconciliation found', async () => {
    expect((await readFigures(writerUrl)).has('bootakhae_reconciliation_drifts')).toBe(false);
    await noteReconciliation(api.redis, { at: 1_000, consistent: false, drifts: 3, cut: '1-9', backlog: 0 });
    const figures = await readFigures(writerUrl);
    expect(figures.get('bootakhae_reconciliation_drifts')).toBe(3);
    expect(figures.get('bootakhae_reconciliation_timestamp_seconds')).toBe(1);
  });

  test('/readyz says what it lacks', async () => {
    expect((await call(`${writerUrl}/healthz`)).status).toBe(200);
    expect((await call(`${writerUrl}/readyz`)).status).toBe(200);
    await api.database.pool.query('rename table journal_checkpoint to hidden_checkpoint');
    const isNotReady = async () => (await call(`${writerUrl}/readyz`)).status === 503;
    await api.order('mina', [{ sku: 'tea', quantity: 1 }]);
    await vi.waitUntil(isNotReady, { timeout: 10_000 });
    expect((await call(`${writerUrl}/readyz`)).body.reasons).toEqual([
      expect.stringMatching(/journal_checkpoint/),
    ]);
    await api.database.pool.query('rename table hidden_checkpoint to journal_checkpoint');
    await vi.waitUntil(async () => !(await isNotReady()), { timeout: 10_000 });
    expect(await writer.stop()).toBe(0);
  });
});
