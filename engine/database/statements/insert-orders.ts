import type { Transaction } from '../database.ts';

/** One row of `orders`; times are UTC. */
export interface OrderRow {
  readonly id: string;
  readonly userId: string;
  readonly status: string;
  readonly total: number;
  readonly placedAt: Date;
  readonly expiresAt: Date | null;
}

const SQL =
  'insert into orders (id, user_id, status, total, placed_at, expires_at) values (?, ?, ?, ?, ?, ?)';

/** Inserts orders. The id is the primary key: an order that is there already makes the whole transaction fail. */
export async function insertOrders(transaction: Transaction, rows: readonly OrderRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    SQL,
    rows.map((row) => [row.id, row.userId, row.status, row.total, row.placedAt, row.expiresAt]),
  );
}
