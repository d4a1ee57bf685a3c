import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { type Contestant, startContestant } from '../ground/contestant.ts';
import type { EngineServers } from '../ground/decide-all.ts';
import { emptyTables, fillEngine } from '../ground/fresh-stock.ts';
import { type FreshRedis, type Ground, openRedis } from '../ground/ground.ts';
import { ResidentMemory } from '../ground/resident-memory.ts';
import type { LoadJob, LoadResult } from '../load/job.ts';
import { madeUpOrders, madeUpProducts } from '../made-up-shop.ts';
import { driveLoad } from '../measure/drive-load.ts';
import { checkBooksSince, markBooks } from '../measure/journal-books.ts';
import type { BookCheck } from '../measure/run-result.ts';
import { PLENTY_UNITS } from '../scenarios.ts';
import { DutyCycle } from './duty-cycle.ts';
import { memoryTrend } from './memory-trend.ts';
import { OVERLOAD_SETTINGS, type OverloadCase } from './overload-cases.ts';
import type { OverloadStep } from './overload-plan.ts';
import type { OverloadRun } from './overload-result.ts';

export interface OverloadSettings {
  readonly ground: Ground;
  readonly warmUpSeconds: number;
  readonly steps: readonly OverloadStep[];
  readonly profiles: string | null;
  /** Told before each load. */
  readonly begin: (step: OverloadStep) => void;
}

const SHOP = { products: 200, lines: 3 };

/** Makes all loads of a case on one api with one Redis, writer paused, and leaves nothing of them behind. */
export async function measureOverload(
  name: OverloadCase,
  settings: OverloadSettings,
): Promise<OverloadRun[]> {
  const { ground, profiles } = settings;
  const { environment, share } = OVERLOAD_SETTINGS[name];
  const redis = await openRedis(ground.directory, 'always');
  const servers = { redis: redis.client, database: ground.database, appendfsync: 'always' } as const;
  try {
    await emptyTables(ground.database);
    await fillEngine(servers, madeUpProducts(SHOP, PLENTY_UNITS));
    const api = await startContestant('engine', {
      ground,
      redisUrl: redis.server.url,
      environment,
      profiles,
    });
    const duty = share === null ? null : new DutyCycle(api.process, share);
    try {
      return await runSteps({ name, settings, redis, api });
    } finally {
      duty?.stop();
      await api.process.stop();
    }
  } finally {
    await redis.close();
  }
}

interface Stage {
  readonly name: OverloadCase;
  readonly settings: OverloadSettings;
  readonly redis: FreshRedis;
  readonly api: Contestant;
}

async function runSteps(stage: Stage): Promise<OverloadRun[]> {
  const runs: OverloadRun[] = [];
  for (const step of stage.settings.steps) {
    stage.settings.begin(step);
    runs.push(await runStep(stage, step, capacityOf(runs)));
  }
  const faults = await reconcileAll({
    redis: stage.redis.client,
    database: stage.settings.ground.database,
    appendfsync: 'always',
  });
  return runs.map((run, at) =>
    at < runs.length - 1 ? run : { ...run, invalid: [...run.invalid, ...faults] },
  );
}

/** The most accepted orders a second that the server reached at its own pace. */
export function capacityOf(runs: readonly OverloadRun[]): number {
  const probes = runs.filter(({ multiple }) => multiple === null);
  return Math.max(0, ...probes.map(({ load }) => load.acceptedPerSecond));
}

async function runStep(stage: Stage, step: OverloadStep, capacity: number): Promise<OverloadRun> {
  const { multiple, connections } = step;
  const ratePerSecond = multiple === null ? null : Math.round(multiple * capacity);
  const { client } = stage.redis;
  const mark = await markBooks(client);
  const watch = new ResidentMemory(stage.api.process.pid);
  const { load, cores } = await drive(stage, step, ratePerSecond);
  const samples = watch.stop(load.windowStart, load.windowEnd);
  const books = await checkBooksSince(client, mark, { orders: madeUpOrders(SHOP, connections), load });
  const { acceptedOf: _, ...told } = load;
  return {
    case: stage.name,
    multiple,
    connections,
    ratePerSecond,
    load: told,
    cores,
    samples,
    memory: memoryTrend(samples),
    books,
    invalid: findFlaws(load, books),
  };
}

function drive({ settings, redis, api }: Stage, step: OverloadStep, ratePerSecond: number | null) {
  const { ground, warmUpSeconds } = settings;
  const { connections, seconds } = step;
  const { authSecret } = ground;
  const load = { connections, warmUpSeconds, seconds, ratePerSecond, authSecret };
  const job: LoadJob = { urls: [api.url], workload: SHOP, client: 'plain', ...load };
  return driveLoad(ground.directory, job, { server: api.process.pid, redis: redis.server.pid });
}

/** A 503 is an answer here; one that took something shows in the books. */
function findFlaws(load: LoadResult, books: BookCheck): string[] {
  const strange = Object.entries(load.statuses).filter(([status]) => !['201', '503'].includes(status));
  return [
    ...strange.map(([status, count]) => `${count} answers with status ${status}`),
    ...(load.errors > 0 ? [`${load.errors} requests without an answer`] : []),
    ...books.faults,
  ];
}

async function reconcileAll({ redis, database }: EngineServers): Promise<string[]> {
  const { drifts } = await reconcile({ redis, database, clock: systemClock });
  return drifts.slice(0, 1).map((drift) => `reconcile: ${JSON.stringify(drift)}`);
}
