import type { Database } from '../../engine/database/database.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import type { LoadResult } from '../load/job.ts';
import { RIVAL_KEYS } from '../rivals/rival-keys.ts';
import type { ScenarioOrder } from '../scenarios.ts';
import { isEngine, isScript, isTables, type StrategyName } from '../strategies.ts';
import type { BookCheck } from './run-result.ts';

/** What a strategy has kept: orders, and the level of each SKU. */
interface Books {
  readonly orders: number;
  readonly levels: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

export interface BookQuestion {
  readonly strategy: StrategyName;
  readonly redis: RedisClient;
  readonly database: Database;
  readonly load: LoadResult;
  readonly orders: readonly ScenarioOrder[];
  /** Units of each product at the start. */
  readonly stock: number;
}

const FAULTS_SHOWN = 5;

/**
 * Compares what the shoppers were told with what is kept: the number of orders, and for each SKU what was loaded
 * with what is left and what was sold. For the engine Redis, journal and MariaDB must agree among themselves too.
 */
export async function checkBooks(question: BookQuestion): Promise<BookCheck> {
  const { strategy, load, orders } = question;
  const answered = load.statuses['201'] ?? 0;
  const sold = unitsBySku(orders, load.acceptedOf);
  const unitsAnswered = sum(sold.values());
  if (strategy === 'ceiling') return nothingKept(answered, unitsAnswered);
  const books = await readBooks(question);
  const levelFaults = compareLevels(books.levels, sold, question.stock);
  const count =
    books.orders === answered ? [] : [`${answered} orders were answered, ${books.orders} are kept`];
  const faults = [...books.faults, ...count, ...levelFaults];
  return {
    consistent: faults.length === 0,
    ordersAnswered: answered,
    ordersKept: books.orders,
    unitsAnswered,
    unitsGone: sum(Array.from(books.levels.values(), (level) => question.stock - level)),
    faults: faults.slice(0, FAULTS_SHOWN),
  };
}

function nothingKept(answered: number, units: number): BookCheck {
  return {
    consistent: true,
    ordersAnswered: answered,
    ordersKept: 0,
    unitsAnswered: units,
    unitsGone: 0,
    faults: [],
  };
}

/** Units that were accepted, by SKU; `acceptedOf` as the load generator counted. */
export function unitsBySku(
  orders: readonly ScenarioOrder[],
  acceptedOf: readonly number[],
): Map<string, number> {
  const sold = new Map<string, number>();
  orders.forEach(({ lines }, index) => {
    for (const { sku, quantity } of lines)
      sold.set(sku, (sold.get(sku) ?? 0) + quantity * acceptedOf[index]!);
  });
  return sold;
}

function compareLevels(levels: ReadonlyMap<string, number>, sold: Map<string, number>, stock: number) {
  return [...sold].flatMap(([sku, units]) => {
    const level = levels.get(sku);
    if (level === stock - units && level >= 0) return [];
    return [`SKU ${sku}: ${stock} units were loaded, ${units} sold, ${level ?? 'no level'} left`];
  });
}

function readBooks(question: BookQuestion): Promise<Books> {
  if (isTables(question.strategy)) return readTables(question.database);
  if (isScript(question.strategy)) return readScriptBooks(question.redis);
  if (isEngine(question.strategy)) return readEngineBooks(question);
  throw new Error(`no books are kept by ${question.strategy}`);
}

async function readTables({ query }: Database): Promise<Books> {
  const rows = await query.selectFrom('stock_levels').select(['sku', 'available']).execute();
  const { orders } = await query
    .selectFrom('orders')
    .select(({ fn }) => fn.countAll<number>().as('orders'))
    .executeTakeFirstOrThrow();
  return { orders, levels: new Map(rows.map(({ sku, available }) => [sku, available])), faults: [] };
}

async function readScriptBooks(redis: RedisClient): Promise<Books> {
  const levels = readHash(await redis.hgetall(RIVAL_KEYS.levels));
  return { orders: await redis.xlen(RIVAL_KEYS.journal), levels, faults: [] };
}

async function readEngineBooks({ redis, database }: BookQuestion): Promise<Books> {
  const { orders, drifts } = await reconcile({ redis, database, clock: systemClock });
  const faults = drifts.map((drift) => `reconcile: ${JSON.stringify(drift)}`);
  return { orders, levels: readHash(await redis.hgetall(KEYS.levels)), faults };
}

function readHash(hash: Readonly<Record<string, string>>): Map<string, number> {
  return new Map(Object.entries(hash).map(([sku, level]) => [sku, Number(level)]));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
