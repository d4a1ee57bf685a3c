import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StartedProcess, startApi, startProcess } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';
import { type RunSummary, runConcurrently } from './concurrent-run.ts';

/**
 * The seeded concurrent run, two api processes and a writer that is killed half-way. Short here; as long as you like
 * with `npm run simulate -- --orders N --seed S`. The seed is printed first: SIMULATION_SEED replays it.
 */
const ORDERS = Number(process.env.SIMULATION_ORDERS ?? 1_100);
const SEED = Number(process.env.SIMULATION_SEED ?? 20_260_101);
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
  const holding = { ...environment, HOLD_SECONDS: '1' };
  apis.push(await startApi(holding), await startApi(holding));
  writer = startProcess(['writer'], environment);
});

afterAll(async () => {
  await Promise.all([...apis, writer].map((started) => started?.stop()));
});

/** P4, however often the writer dies. */
async function killWriter(): Promise<void> {
  await writer.stop('SIGKILL');
  writer = startProcess(['writer'], environment);
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
      urls: apis.map(({ url }) => url),
      redis: redis.client,
      database: maria.database,
      atHalf: killWriter,
      onProgress: (asked) => print(`${asked} of ${ORDERS} orders asked for`),
    });
    print(summary);
    expect(summary.faults).toEqual({ doubled: 0, lost: 0, untold: 0, oversold: 0, drifted: 0, wrong: 0 });
    for (const count of ['accepted', 'replayed', 'adjustments'] as const)
      expect(summary[count], count).toBeGreaterThan(ORDERS / 50);
    for (const code of ['out_of_stock', 'idempotency_mismatch', 'invalid_request', 'order_state'])
      expect(summary.refused[code], code).toBeGreaterThan(0);
    for (const status of ['placed', 'cancelled', 'expired'])
      expect(summary.statuses[status], status).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
