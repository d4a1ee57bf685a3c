import type { OrderStatus } from '../../domain/order.ts';
import type { Transaction } from '../database.ts';

const SQL = 'select id, status from orders where id in (?) for update';

/** Reads what became of these orders, by id, and keeps it so until the transaction ends. Those that are not there are left out. */
export async function lockOrderStatuses(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Map<string, OrderStatus>> {
  if (ids.length === 0) return new Map();
  const rows = (await transaction.query(SQL, [ids])) as { id: string; status: OrderStatus }[];
  return new Map(rows.map(({ id, status }) => [id, status]));
}
