import type { Database } from '../../engine/database/database.ts';
import { insertOrderItems, type OrderItemRow } from '../../engine/database/statements/insert-order-items.ts';
import { insertOrders, type OrderRow } from '../../engine/database/statements/insert-orders.ts';

/** A size at which the connector is fast; a larger one gains nothing. */
const ROWS_OF_TRANSACTION = 5_000;

interface Rows {
  readonly orders: OrderRow[];
  readonly items: OrderItemRow[];
}

/**
 * Takes the orders out of the tables and inserts the very same rows again with the same connector and the same
 * statements, and nothing else: what a writer without a journal, a checkpoint and levels could reach at best.
 * Resolves to rows a second.
 */
export async function measureBulkInsert(database: Database): Promise<number> {
  const { orders, items } = await takeRows(database);
  const started = performance.now();
  for (const part of chunks(orders))
    await database.transaction((transaction) => insertOrders(transaction, part));
  for (const part of chunks(items))
    await database.transaction((transaction) => insertOrderItems(transaction, part));
  return (orders.length + items.length) / ((performance.now() - started) / 1_000);
}

async function takeRows({ query, pool }: Database): Promise<Rows> {
  const orders = await query.selectFrom('orders').selectAll().orderBy('id').execute();
  const items = await query
    .selectFrom('order_items')
    .selectAll()
    .orderBy('order_id')
    .orderBy('line')
    .execute();
  await pool.query('truncate table orders');
  await pool.query('truncate table order_items');
  return {
    orders: orders.map(({ user_id: userId, placed_at: placedAt, expires_at: expiresAt, ...order }) => {
      return { ...order, userId, placedAt, expiresAt };
    }),
    items: items.map(({ order_id: orderId, unit_price: unitPrice, ...item }) => {
      return { ...item, orderId, unitPrice };
    }),
  };
}

function* chunks<Row>(rows: readonly Row[]): Iterable<Row[]> {
  for (let at = 0; at < rows.length; at += ROWS_OF_TRANSACTION)
    yield rows.slice(at, at + ROWS_OF_TRANSACTION);
}
