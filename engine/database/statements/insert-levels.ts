import type { Transaction } from '../database.ts';

/** A level that comes into being with `available` units. */
export interface LevelRow {
  readonly sku: string;
  readonly pool: string;
  readonly available: number;
}

/** Inserts new levels; one that is there already makes the transaction fail. */
export async function insertLevels(transaction: Transaction, rows: readonly LevelRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    'insert into stock_levels (sku, pool, available) values (?, ?, ?)',
    rows.map(({ sku, pool, available }) => [sku, pool, available]),
  );
}
