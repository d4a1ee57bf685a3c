import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type RunningStack, startStack } from '../../cli/stack/stack.ts';
import { describeCommit, describeMachine } from '../machine.ts';

/**
 * How late sale events open and close when all is well: a whole local stack, single events one after another, some orders meanwhile.
 * Lateness is by the engine's clock: of the call that opened or closed it, against the time that was asked for.
 * `npm run bench:openings -- --events 40 --every-ms 500 --finished 1000`; --every-ms 0: all at the same time; --finished: events that were
 * there before and are over.
 */
const STOCK = 10_000;
const FIRST_IN_MS = 4_000;
const LASTS_MS = 3_000;
const ORDERS_A_SECOND = 200;
const KEPT_WITHIN_MS = 30_000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '40' },
    'every-ms': { type: 'string', default: '500' },
    finished: { type: 'string', default: '0' },
  },
});
const count = readCount('--events', values.events, 500);
const everyMs = readCount('--every-ms', values['every-ms'], 60_000);
const finished = readCount('--finished', values.finished, 100_000);

const dataDirectory = mkdtempSync(join(tmpdir(), 'bootakhae-openings-'));
const stack = await startStack({ dataDirectory, port: 0, demo: false });
try {
  const late = await measure(stack);
  const about = {
    commit: describeCommit(),
    machine: describeMachine(dataDirectory),
    events: count,
    everyMs,
    finished,
  };
  process.stdout.write(`${JSON.stringify({ ...about, ...late }, null, 1)}\n`);
} finally {
  await stack.stop();
  rmSync(dataDirectory, { recursive: true, force: true });
}

async function measure(running: RunningStack) {
  const skus = Array.from({ length: count }, (_, at) => `product-${at}`);
  for (const sku of skus)
    await ask(running, 'PUT', `/products/${sku}`, { name: sku, price: 100, stock: STOCK });
  for (let at = 0; at < finished; at++) {
    const id = await schedule(running, skus[at % count]!, Date.now() + 3_600_000);
    await ask(running, 'POST', `/events/${id}/cancel`);
  }
  const firstMs = Date.now() + FIRST_IN_MS + 20 * count;
  const ids: string[] = [];
  for (const [at, sku] of skus.entries()) ids.push(await schedule(running, sku, firstMs + at * everyMs));
  const lastEndsMs = firstMs + (count - 1) * everyMs + LASTS_MS;
  const orders = await sellUntil(running, skus, lastEndsMs + 1_000);
  const windows = [];
  for (const id of ids) windows.push(await closedWindowOf(running, id));
  return {
    orders,
    openedLateMs: spread(
      windows.map(({ startsAt, openedAt }) => Date.parse(openedAt) - Date.parse(startsAt)),
    ),
    closedLateMs: spread(windows.map(({ endsAt, closedAt }) => Date.parse(closedAt) - Date.parse(endsAt))),
  };
}

async function schedule(running: RunningStack, sku: string, startMs: number): Promise<string> {
  const times = {
    startsAt: new Date(startMs).toISOString(),
    endsAt: new Date(startMs + LASTS_MS).toISOString(),
  };
  const items = [{ sku, stock: STOCK / 2, price: 50 }];
  const { id } = await ask<{ id: string }>(running, 'POST', '/events', {
    name: `sale of ${sku}`,
    ...times,
    items,
  });
  return id;
}

/** Orders at a steady pace, whatever they draw from; resolves to how many were accepted. */
async function sellUntil(running: RunningStack, skus: readonly string[], untilMs: number): Promise<number> {
  const pending: Promise<boolean>[] = [];
  for (let sent = 0; Date.now() < untilMs; sent++) {
    const body = { items: [{ sku: skus[sent % skus.length], quantity: 1 }] };
    pending.push(ask(running, 'POST', '/orders', body, running.customerToken).then(Boolean));
    await pause(1_000 / ORDERS_A_SECOND);
  }
  return (await Promise.all(pending)).length;
}

interface RecordedWindow {
  readonly status: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly openedAt: string;
  readonly closedAt: string;
}

async function closedWindowOf(running: RunningStack, id: string): Promise<RecordedWindow> {
  for (const deadline = Date.now() + KEPT_WITHIN_MS; Date.now() < deadline; await pause(50)) {
    const { items } = await ask<{ items: RecordedWindow[] }>(running, 'GET', `/events/${id}/occurrences`);
    if (items[0]?.status === 'closed' && items[0].openedAt) return items[0];
  }
  throw new Error(`event ${id} did not open and close`);
}

async function ask<Answer>(
  { api, operatorToken }: RunningStack,
  method: string,
  path: string,
  body?: unknown,
  token = operatorToken,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${api}/api/v1${path}`, { method, headers, ...sent });
  if (response.ok) return (await response.json()) as Answer;
  throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { earliest: sorted[0], median: at(0.5), p95: at(0.95), latest: sorted.at(-1) };
}

function readCount(name: string, text: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new Error(`${name} is "${text}": expected a whole number up to ${most}`);
}
