import type { OwnedProcess } from '../../cli/stack/owned-process.ts';
import { countEntries } from '../../engine/redis/journal-stream.ts';
import { type ContestantPlan, startContestant, startWriter } from '../ground/contestant.ts';
import { emptyTables, fillEngine, fillRivalKeys, fillTables } from '../ground/fresh-stock.ts';
import { type FreshRedis, type Ground, openRedis, type RedisLog } from '../ground/ground.ts';
import type { LoadResult } from '../load/job.ts';
import type { RunSpec } from '../plan.ts';
import { buildOrders, readProducts } from '../scenarios.ts';
import { isEngine, isScript, isTables, type StrategyName } from '../strategies.ts';
import { LagMeter, untilDrained } from './backlog.ts';
import { checkBooks } from './books.ts';
import { measureBulkInsert } from './bulk-yardstick.ts';
import { type DrivenLoad, driveLoad } from './drive-load.ts';
import { type RedisFigures, readRedisFigures } from './redis-figures.ts';
import type { BookCheck, DrainResult, LagResult, RunResult } from './run-result.ts';

/** What a run needs to know beside its place in the plan. */
export interface RunSettings {
  readonly ground: Ground;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly ratePerSecond: number | null;
  /** Units of each product at the start. */
  readonly stock: number;
  readonly profiles: string | null;
}

/** Makes one run on fresh servers and fresh stock, and leaves nothing of it behind. */
export async function measure(spec: RunSpec, settings: RunSettings): Promise<RunResult> {
  const { ground } = settings;
  const redis = await openRedis(ground.directory, logOf(spec.strategy));
  try {
    await fill(spec, settings, redis);
    const run = new Run(spec, settings, redis);
    try {
      return await run.carryOut();
    } finally {
      await run.stopAll();
    }
  } finally {
    await redis.close();
  }
}

/** Locks and the ceiling keep nothing in Redis that must survive. */
function logOf(strategy: StrategyName): RedisLog {
  if (strategy === 'engine-everysec') return 'everysec';
  return isTables(strategy) || strategy === 'ceiling' ? 'none' : 'always';
}

async function fill(spec: RunSpec, { ground, stock }: RunSettings, { client }: FreshRedis): Promise<void> {
  const { database } = ground;
  const products = await readProducts(spec.scenario, stock);
  await emptyTables(database);
  if (isTables(spec.strategy)) await fillTables(database, products);
  if (isScript(spec.strategy)) await fillRivalKeys(client, products);
  if (isEngine(spec.strategy))
    await fillEngine({ redis: client, database, appendfsync: policyOf(spec) }, products);
}

function policyOf({ strategy }: RunSpec): 'always' | 'everysec' {
  return strategy === 'engine-everysec' ? 'everysec' : 'always';
}

/** One run's processes and the order of its steps. */
class Run {
  readonly #spec: RunSpec;
  readonly #settings: RunSettings;
  readonly #redis: FreshRedis;
  readonly #started: OwnedProcess[] = [];

  constructor(spec: RunSpec, settings: RunSettings, redis: FreshRedis) {
    this.#spec = spec;
    this.#settings = settings;
    this.#redis = redis;
  }

  async carryOut(): Promise<RunResult> {
    const sustained = this.#spec.purpose === 'sustained';
    const contestant = await startContestant(this.#spec.strategy, this.#plan());
    this.#started.push(contestant.process);
    const writer = sustained ? await this.#startWriter() : null;
    const meter = sustained ? new LagMeter(this.#redis.client) : null;
    const driven = await this.#drive(contestant.url, {
      server: contestant.process,
      ...(writer && { writer }),
    });
    const lag = meter ? await meter.finish() : null;
    await contestant.process.stop();
    const redis = await readRedisFigures(this.#redis.client);
    const drained = this.#spec.purpose === 'burst' ? await this.#drain() : null;
    const books = await this.#books(driven.load);
    const drain = drained && {
      ...drained,
      bulkRowsPerSecond: await measureBulkInsert(this.#settings.ground.database),
    };
    return this.#result(driven, { redis, books, drain, lag });
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#started.map((owned) => owned.stop()));
  }

  #plan(): ContestantPlan {
    const { ground, profiles } = this.#settings;
    const { batchOrders } = this.#spec;
    const bound: Record<string, string> =
      batchOrders === undefined ? {} : { BATCH_ORDERS: String(batchOrders) };
    const environment = { REDIS_APPENDFSYNC: policyOf(this.#spec), ...bound };
    return { ground, redisUrl: this.#redis.server.url, environment, profiles };
  }

  async #startWriter(): Promise<OwnedProcess> {
    const writer = await startWriter(this.#plan());
    this.#started.push(writer.process);
    return writer.process;
  }

  #drive(url: string, processes: Readonly<Record<string, OwnedProcess>>): Promise<DrivenLoad> {
    const { ground, warmUpSeconds, seconds, ratePerSecond } = this.#settings;
    const { scenario, connections } = this.#spec;
    const named = { ...processes, redis: this.#redis.server, mariadb: ground.mariadb };
    const pids = Object.fromEntries(Object.entries(named).map(([name, { pid }]) => [name, pid]));
    const { authSecret } = ground;
    const load = { connections, warmUpSeconds, seconds, ratePerSecond, authSecret };
    const job = { urls: [url], workload: scenario, client: 'autocannon', ...load } as const;
    return driveLoad(ground.directory, job, pids);
  }

  /** Times the writer from when it begins until MariaDB has everything. */
  async #drain(): Promise<Omit<DrainResult, 'bulkRowsPerSecond'>> {
    const { client } = this.#redis;
    const entries = await countEntries(client);
    const { process: writer, begun } = await startWriter(this.#plan());
    this.#started.push(writer);
    await untilDrained(client);
    const seconds = (Date.now() - Date.parse(begun.time)) / 1_000;
    await writer.stop();
    const rows = await countOrderRows(this.#settings.ground);
    return { entries, rows, seconds, entriesPerSecond: entries / seconds, rowsPerSecond: rows / seconds };
  }

  #books(load: LoadResult): Promise<BookCheck> {
    const { scenario, connections, strategy } = this.#spec;
    const { ground, stock } = this.#settings;
    const orders = buildOrders(scenario, connections);
    return checkBooks({
      strategy,
      redis: this.#redis.client,
      database: ground.database,
      load,
      orders,
      stock,
    });
  }

  #result({ load, cores }: DrivenLoad, parts: Parts): RunResult {
    const { ratePerSecond } = this.#settings;
    return { spec: this.#spec, ratePerSecond, load, cores, ...parts, invalid: findFlaws(load, parts.books) };
  }
}

interface Parts {
  readonly redis: RedisFigures;
  readonly books: BookCheck;
  readonly drain: DrainResult | null;
  readonly lag: LagResult | null;
}

/** Why the figures must not be used: anything but 201 and 409 means that something else than orders was measured. */
export function findFlaws(load: LoadResult, books: BookCheck): string[] {
  const strange = Object.entries(load.statuses).filter(([status]) => status !== '201' && status !== '409');
  return [
    ...strange.map(([status, count]) => `${count} answers with status ${status}`),
    ...(load.errors > 0 ? [`${load.errors} requests without an answer`] : []),
    ...books.faults,
  ];
}

async function countOrderRows({ database }: Ground): Promise<number> {
  const [row] = (await database.pool.query(
    'select (select count(*) from orders) + (select count(*) from order_items) as count',
  )) as { count: number }[];
  return row!.count;
}
