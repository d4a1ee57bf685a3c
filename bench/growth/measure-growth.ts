import type { OwnedProcess } from '../../cli/stack/owned-process.ts';
import { MAX_ORDERS_OF_CALL } from '../../engine/domain/bounds.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { startContestant } from '../ground/contestant.ts';
import type { EngineServers } from '../ground/decide-all.ts';
import { emptyTables, fillEngine } from '../ground/fresh-stock.ts';
import { type FreshRedis, type Ground, openRedis } from '../ground/ground.ts';
import type { LoadJob } from '../load/job.ts';
import { madeUpOrders, madeUpProducts } from '../made-up-shop.ts';
import { type DrivenLoad, driveLoad } from '../measure/drive-load.ts';
import { checkBooksSince, markBooks } from '../measure/journal-books.ts';
import { readKeyBytes, readScriptUse, readUsedBytes, type ScriptUse } from '../measure/redis-figures.ts';
import { findFlaws } from '../measure/run.ts';
import { PLENTY_UNITS } from '../scenarios.ts';
import type { GrowthSpec } from './growth-plan.ts';
import type { GrowthMemory, GrowthRun } from './growth-result.ts';
import { keepOrders } from './kept-orders.ts';

/** What a run needs to know beside its place on an axis. */
export interface GrowthSettings {
  readonly ground: Ground;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly profiles: string | null;
}

const MICROSECONDS = 1_000_000;
/** `reconcile` folds the whole backlog in memory: of two million orders that would be gigabytes. */
const MOST_ORDERS_TO_RECONCILE = 100_000;

/** Makes one run on a fresh Redis, and leaves nothing of it behind. */
export async function measureGrowth(spec: GrowthSpec, settings: GrowthSettings): Promise<GrowthRun> {
  const redis = await openRedis(settings.ground.directory, 'always');
  const run = new Run(spec, settings, redis);
  try {
    return await run.carryOut();
  } finally {
    await run.stopAll();
    await redis.close();
  }
}

class Run {
  readonly #spec: GrowthSpec;
  readonly #settings: GrowthSettings;
  readonly #redis: FreshRedis;
  readonly #servers: EngineServers;
  readonly #started: OwnedProcess[] = [];

  constructor(spec: GrowthSpec, settings: GrowthSettings, redis: FreshRedis) {
    this.#spec = spec;
    this.#settings = settings;
    this.#redis = redis;
    this.#servers = { redis: redis.client, database: settings.ground.database, appendfsync: 'always' };
  }

  async carryOut(): Promise<GrowthRun> {
    const { client } = this.#redis;
    const started = performance.now();
    const memory = await this.#fill();
    const fillSeconds = (performance.now() - started) / 1_000;
    const mark = await markBooks(client);
    const urls = await this.#startApis();
    const before = await readScriptUse(client);
    const driven = await this.#drive(urls);
    const after = await readScriptUse(client);
    await this.stopAll();
    const { load } = driven;
    const orders = madeUpOrders(this.#spec.shop, this.#spec.connections);
    const books = await checkBooksSince(client, mark, { orders, load });
    const reconciled = await this.#reconcile();
    const { reconcileSeconds } = reconciled;
    const invalid = [...findFlaws(load, books), ...reconciled.faults];
    return { ...this.#figures(driven, before, after), memory, fillSeconds, books, reconcileSeconds, invalid };
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#started.map((owned) => owned.stop()));
  }

  async #fill(): Promise<GrowthMemory> {
    const { shop, keptOrders } = this.#spec;
    const { client } = this.#redis;
    await emptyTables(this.#settings.ground.database);
    await fillEngine(this.#servers, madeUpProducts(shop, PLENTY_UNITS));
    const productBytes = await readKeyBytes(client, [KEYS.levels, KEYS.prices, KEYS.catalogue]);
    const before = await this.#orderBytes();
    if (keptOrders > 0) await this.#keep(keptOrders);
    const orderBytes = (await this.#orderBytes()) - before;
    return {
      usedBytes: await readUsedBytes(client),
      bytesOfProduct: productBytes / shop.products,
      bytesOfKeptOrder: keptOrders > 0 ? orderBytes / keptOrders : null,
    };
  }

  async #keep(count: number): Promise<void> {
    const { shop } = this.#spec;
    const ordersOfCall = MAX_ORDERS_OF_CALL;
    await keepOrders(this.#servers, { shop, count, keyed: true, holdMs: 0, ordersOfCall });
  }

  #orderBytes(): Promise<number> {
    return readKeyBytes(this.#redis.client, [KEYS.journal, ...IDEMPOTENCY_KEYS]);
  }

  async #startApis(): Promise<string[]> {
    const { ground, profiles } = this.#settings;
    const plan = { ground, redisUrl: this.#redis.server.url, environment: {}, profiles };
    const urls: string[] = [];
    for (let at = 0; at < this.#spec.apis; at += 1) {
      const api = await startContestant('engine', plan);
      this.#started.push(api.process);
      urls.push(api.url);
    }
    return urls;
  }

  #drive(urls: readonly string[]): Promise<DrivenLoad> {
    const { ground, warmUpSeconds, seconds } = this.#settings;
    const { shop, connections } = this.#spec;
    const apis = this.#started.map(({ pid }, at) => [at === 0 ? 'server' : `server ${at + 1}`, pid]);
    const pids = { ...Object.fromEntries(apis), redis: this.#redis.server.pid };
    const { authSecret } = ground;
    const load = { warmUpSeconds, seconds, ratePerSecond: null, authSecret };
    const job: LoadJob = { urls, workload: shop, connections, client: 'autocannon', ...load };
    return driveLoad(ground.directory, job, pids);
  }

  async #reconcile(): Promise<{ reconcileSeconds: number | null; faults: string[] }> {
    if (this.#spec.keptOrders > MOST_ORDERS_TO_RECONCILE) return { reconcileSeconds: null, faults: [] };
    const started = performance.now();
    const { redis, database } = this.#servers;
    const { drifts } = await reconcile({ redis, database, clock: systemClock });
    const reconcileSeconds = (performance.now() - started) / 1_000;
    return {
      reconcileSeconds,
      faults: drifts.slice(0, 1).map((drift) => `reconcile: ${JSON.stringify(drift)}`),
    };
  }

  #figures({ load: { acceptedOf: _, ...load }, cores }: DrivenLoad, before: ScriptUse, after: ScriptUse) {
    const orders = load.statuses['201'] ?? 0;
    const cost = (core: number) => (core * MICROSECONDS) / load.acceptedPerSecond;
    const apis = Object.entries(cores).filter(([name]) => name.startsWith('server'));
    return {
      spec: this.#spec,
      load,
      cores,
      linesPerSecond: load.acceptedPerSecond * this.#spec.shop.lines,
      apiMicroseconds: cost(apis.reduce((total, [, core]) => total + core, 0)),
      redisMicroseconds: cost(cores.redis ?? Number.NaN),
      scriptMicroseconds: (after.microseconds - before.microseconds) / orders,
      ordersOfCall: orders / (after.calls - before.calls),
    };
  }
}
