import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../fixtures/http.ts';
import { type StartedProcess, startApi, startProcess } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';
import { type RunSummary, runConcurrently } from './concurrent-run.ts';
import type { Victim } from './disturbances.ts';

/**
 * The seeded concurrent run, two api processes and a writer; the writer, an api and
 * Redis are killed and started again meanwhile. Short here; as long as you like
 * with `npm run simulate -- --orders N --seed S`. The seed is printed first: SIMULATION_SEED replays it.
 */
const ORDERS = Number(process.env.SIMULATION_ORDERS ?? 1_100);
const SEED = Number(process.env.SIMULATION_SEED ?? 20_260_101);
const READY_MS = 30_000;
const CONNECTIONS = Number(process.env.SIMULATION_CONNECTIONS ?? 64);
/** Far more than it takes: some 50 orders a second. */
const TIMEOUT_MS = 60_000 + 20 * ORDERS;

const redis = useRedis();
const maria = useDatabase();
const apis: (StartedProcess & { url: string })[] = [];
let environment: NodeJS.ProcessEnv;
let writer: StartedProcess;

beforeAll(async () => {
  environment = { REDIS_URL: redis.url, DATABASE_URL: maria.url };
  apis.push(await startApi(holding()), await startApi(holding()));
  urls.push(...apis.map(({ url }) => url));
  writer = startProcess(['writer'], environment);
});

afterAll(async () => {
  await Promise.all([...apis, writer].map((started) => started?.stop()));
});

const urls: string[] = [];
let nextApi = 0;

/** P3, P4: whoever dies, and whenever. */
const kills: Record<Victim, () => Promise<void>> = {
  async writer() {
    await writer.stop('SIGKILL');
    writer = startProcess(['writer'], environment);
  },
  async api() {
    const at = nextApi++ % apis.length;
    await apis[at]!.stop('SIGKILL');
    apis[at] = await startApi(holding());
    urls[at] = apis[at].url;
  },
  async redis() {
    await redis.crash();
    await Promise.all(urls.map(untilReady));
  },
};

const holding = () => ({ ...environment, HOLD_SECONDS: '1' });

async function untilReady(url: string): Promise<void> {
  const isReady = async () => (await call(`${url}/readyz`)).status === 200;
  await expect.poll(isReady, { timeout: READY_MS, interval: 50 }).toBe(true);
}

function print(summary: RunSummary | string): void {
  console.log(typeof summary === 'string' ? summary : JSON.stringify(summary, null, 2));
}

test(
  'P1, P2, P3, P4: a seeded concurrent run over two apis ends as its replies said',
  async () => {
    print(`SIMULATION_SEED=${SEED}, ${ORDERS} orders, ${CONNECTIONS} users at once`);
    const summary = await runConcurrently({
      seed: SEED,
      orders: ORDERS,
      connections: CONNECTIONS,
      urls,
      redis: redis.client,
      database: maria.database,
      kill: (victim) => kills[victim](),
      onProgress: print,
    });
    print(summary);
    expect(summary.faults).toEqual({ doubled: 0, lost: 0, untold: 0, oversold: 0, drifted: 0, wrong: 0 });
    for (const count of ['accepted', 'replayed', 'adjustments', 'readAtOnce', 'soldByEvents'] as const)
      expect(summary[count], count).toBeGreaterThan(ORDERS / 50);
    for (const count of ['unknown', 'readLater'] as const) expect(summary[count], count).toBeGreaterThan(0);
    expect(Object.values(summary.kills)).not.toContain(0);
    for (const code of [
      'out_of_stock',
      'idempotency_mismatch',
      'invalid_request',
      'order_state',
      'limit_exceeded',
    ])
      expect(summary.refused[code], code).toBeGreaterThan(0);
    for (const status of ['placed', 'cancelled', 'expired'])
      expect(summary.statuses[status], status).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
