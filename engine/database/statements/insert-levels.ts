import type { PoolOfSku } from '../../domain/pool.ts';
import type { Transaction } from '../database.ts';

/** A level that comes into being with `available` units. */
export interface LevelRow {
  readonly sku: string;
  readonly pool: string;
  readonly available: number;
}

/** Makes sure that the levels of sale events' pools are there; one that is, from an earlier opening, stays as it is. */
export async function ensureLevels(transaction: Transaction, rows: readonly PoolOfSku[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    'insert ignore into stock_levels (sku, pool, available) values (?, ?, 0)',
    rows.map(({ sku, pool }) => [sku, pool]),
  );
}

/** Inserts new levels; one that is there already makes the transaction fail. */
export async function insertLevels(transaction: Transaction, rows: readonly LevelRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    'insert into stock_levels (sku, pool, available) values (?, ?, ?)',
    rows.map(({ sku, pool, available }) => [sku, pool, available]),
  );
}
