import type { Kysely } from 'kysely';
import type { OrderLine } from '../../domain/order.ts';
import { eventOf } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';

/** What an entry that settles an order does not say of it. `placedAt` is RFC 3339, `total` in minor units. */
export interface SettledOrder {
  readonly userId: string;
  readonly total: number;
  readonly placedAt: string;
}

const ORDERS_OF_STATEMENT = 200;

/** Reads these orders, by id; those that are not there are left out. */
export async function readSettledOrders(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<Map<string, SettledOrder>> {
  const orders = new Map<string, SettledOrder>();
  for (const some of parts(ids)) {
    const columns = ['id', 'user_id', 'total', 'placed_at'] as const;
    const rows = await db.selectFrom('orders').select(columns).where('id', 'in', some).execute();
    for (const { id, user_id, total, placed_at } of rows)
      orders.set(id, { userId: user_id, total, placedAt: placed_at.toISOString() });
  }
  return orders;
}

/** Reads the lines of these orders, by order id. */
export async function readLinesOf(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<Map<string, OrderLine[]>> {
  const lines = new Map<string, OrderLine[]>(ids.map((id) => [id, []]));
  for (const some of parts(ids)) {
    const rows = await db
      .selectFrom('order_items')
      .select(['order_id', 'sku', 'pool', 'quantity', 'unit_price'])
      .where('order_id', 'in', some)
      .orderBy('order_id')
      .orderBy('line')
      .execute();
    for (const { order_id, sku, pool, quantity, unit_price } of rows)
      lines.get(order_id)!.push({ sku, quantity, unitPrice: unit_price, eventId: eventOf(pool) });
  }
  return lines;
}

function* parts(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += ORDERS_OF_STATEMENT) yield ids.slice(at, at + ORDERS_OF_STATEMENT);
}
