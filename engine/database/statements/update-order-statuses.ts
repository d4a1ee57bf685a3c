import { MissingRows } from '../../domain/fault.ts';
import type { Transaction } from '../database.ts';

/** What became of an order. */
export interface StatusChange {
  readonly id: string;
  readonly status: string;
}

/** Gives orders their new status, the last one of each. Throws when an order is not there. */
export async function updateOrderStatuses(
  transaction: Transaction,
  changes: readonly StatusChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ id, status }) => [status, id]);
  const result = await transaction.batch('update orders set status = ? where id = ?', rows);
  const { affectedRows } = result as { affectedRows: number };
  if (affectedRows !== rows.length) {
    throw new MissingRows(`${rows.length} orders were to change their status, ${affectedRows} are there`);
  }
}
