import { ORIGIN, type Position } from '../../engine/domain/position.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readEntriesAfter, readLastPosition } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import type { LoadResult } from '../load/job.ts';
import type { ScenarioOrder } from '../scenarios.ts';
import { unitsBySku } from './books.ts';
import type { BookCheck } from './run-result.ts';

/** What the engine's Redis held at an instant at which nobody ordered. */
export interface BookMark {
  readonly position: Position;
  readonly levels: ReadonlyMap<string, number>;
}

/** What was asked since the mark, and what was answered. */
export interface Told {
  readonly orders: readonly ScenarioOrder[];
  readonly load: LoadResult;
}

interface Kept {
  orders: number;
  readonly units: Map<string, number>;
}

const ENTRIES_OF_A_READ = 200;
const FAULTS_SHOWN = 5;

/** Opens the books before a load. */
export async function markBooks(redis: RedisClient): Promise<BookMark> {
  return { position: await readLastPosition(redis), levels: await readLevels(redis) };
}

/**
 * Compares what the shoppers were told since the mark with the journal's entries and the levels since then: as many
 * orders, and for every SKU as many units, in all three. What was kept before the mark costs nothing, so that the
 * books of two million kept orders are looked through as fast as those of none; there is no MariaDB in it.
 */
export async function checkBooksSince(redis: RedisClient, mark: BookMark, told: Told): Promise<BookCheck> {
  const kept = await readKept(redis, mark.position);
  const levels = await readLevels(redis);
  const answered = told.load.statuses['201'] ?? 0;
  const sold = unitsBySku(told.orders, told.load.acceptedOf);
  const gone = new Map(
    Array.from(mark.levels, ([sku, level]) => [sku, level - (levels.get(sku) ?? Number.NaN)]),
  );
  const faults = [
    ...(kept.orders === answered ? [] : [`${answered} orders were answered, ${kept.orders} are kept`]),
    ...compareUnits(gone, { sold, journal: kept.units }),
    ...negativeLevels(levels),
  ];
  return {
    consistent: faults.length === 0,
    ordersAnswered: answered,
    ordersKept: kept.orders,
    unitsAnswered: sum(sold.values()),
    unitsGone: sum(gone.values()),
    faults: faults.slice(0, FAULTS_SHOWN),
  };
}

function compareUnits(
  gone: ReadonlyMap<string, number>,
  { sold, journal }: Readonly<Record<'sold' | 'journal', ReadonlyMap<string, number>>>,
): string[] {
  return [...gone].flatMap(([sku, units]) => {
    const [answered, kept] = [sold.get(sku) ?? 0, journal.get(sku) ?? 0];
    if (units === answered && units === kept) return [];
    return [`SKU ${sku}: ${units} units are gone, ${answered} were answered, ${kept} are in the journal`];
  });
}

function negativeLevels(levels: ReadonlyMap<string, number>): string[] {
  return [...levels].flatMap(([sku, level]) => (level >= 0 ? [] : [`SKU ${sku}: the level is ${level}`]));
}

async function readKept(redis: RedisClient, after: Position): Promise<Kept> {
  const kept: Kept = { orders: 0, units: new Map() };
  for (let from = after; ; ) {
    const page = await readEntriesAfter(redis, from, { count: ENTRIES_OF_A_READ });
    for (const entry of page) if (entry.kind === 'orders') addOrders(kept, entry.orders);
    from = page.at(-1)?.position ?? ORIGIN;
    if (page.length < ENTRIES_OF_A_READ) return kept;
  }
}

function addOrders(
  kept: Kept,
  orders: readonly { readonly order: { readonly items: ScenarioOrder['lines'] } }[],
) {
  kept.orders += orders.length;
  for (const { order } of orders)
    for (const { sku, quantity } of order.items) kept.units.set(sku, (kept.units.get(sku) ?? 0) + quantity);
}

async function readLevels(redis: RedisClient): Promise<Map<string, number>> {
  const levels = await redis.hgetall(KEYS.levels);
  return new Map(Object.entries(levels).map(([sku, level]) => [sku, Number(level)]));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
