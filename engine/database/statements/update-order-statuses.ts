import { MissingRows } from '../../domain/fault.ts';
import type { OrderStatus } from '../../domain/order.ts';
import { affectedRowsOf } from '../affected-rows.ts';
import type { Transaction } from '../database.ts';

/** What became of an order. */
export interface StatusChange {
  readonly id: string;
  readonly status: OrderStatus;
  /** Why it was cancelled, where somebody said. */
  readonly reason: string | null;
}

/** Gives orders their new status, the last one of each, and the reason for that. Throws when an order is not there. */
export async function updateOrderStatuses(
  transaction: Transaction,
  changes: readonly StatusChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ id, status, reason }) => [status, reason, id]);
  const result = await transaction.batch('update orders set status = ?, reason = ? where id = ?', rows);
  const affectedRows = affectedRowsOf(result);
  if (affectedRows !== rows.length) {
    throw new MissingRows(`${rows.length} orders were to change their status, ${affectedRows} are there`);
  }
}
