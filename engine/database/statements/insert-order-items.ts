import type { Transaction } from '../database.ts';

/** One row of `order_items`; `line` counts from 0 within the order, `unitPrice` in minor units. */
export interface OrderItemRow {
  readonly orderId: string;
  readonly line: number;
  readonly sku: string;
  readonly pool: string;
  readonly quantity: number;
  readonly unitPrice: number;
}

const SQL =
  'insert into order_items (order_id, line, sku, pool, quantity, unit_price) values (?, ?, ?, ?, ?, ?)';

/** Inserts the lines of orders. */
export async function insertOrderItems(
  transaction: Transaction,
  rows: readonly OrderItemRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    SQL,
    rows.map((row) => [row.orderId, row.line, row.sku, row.pool, row.quantity, row.unitPrice]),
  );
}
