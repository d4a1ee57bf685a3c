import { MissingRows } from '../../domain/fault.ts';
import type { Transaction } from '../database.ts';

/** Units to add to (or, negative, take from) one level. */
export interface LevelChange {
  readonly sku: string;
  readonly pool: string;
  readonly delta: number;
}

const SQL = 'update stock_levels set available = available + ? where sku = ? and pool = ?';

/**
 * Adds each change to its level: one row once, in the order of the keys, so that two transactions never wait for
 * each other in a circle. Throws when a level is not there; MariaDB refuses one that would become negative.
 */
export async function changeLevels(transaction: Transaction, changes: readonly LevelChange[]): Promise<void> {
  const effective = changes.filter(({ delta }) => delta !== 0);
  if (effective.length === 0) return;
  const rows = effective.map(({ sku, pool, delta }) => [delta, sku, pool]);
  const { affectedRows } = (await transaction.batch(SQL, rows)) as { affectedRows: number };
  if (affectedRows !== rows.length) {
    throw new MissingRows(
      `${rows.length} stock levels were to change, ${affectedRows} are there: one is missing`,
    );
  }
}
