import type { OwnedOrder } from '../../domain/order.ts';
import { REGULAR_POOL } from '../../domain/product.ts';
import type { Database } from '../database.ts';

/** Reads one order with its lines, or null when MariaDB does not have it (yet). */
export async function readOrder(database: Database, id: string): Promise<OwnedOrder | null> {
  const row = await database.query.selectFrom('orders').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return null;
  const lines = await database.query
    .selectFrom('order_items')
    .selectAll()
    .where('order_id', '=', id)
    .orderBy('line')
    .execute();
  return {
    userId: row.user_id,
    order: {
      id: row.id,
      status: row.status,
      items: lines.map(({ sku, quantity, unit_price, pool }) => ({
        sku,
        quantity,
        unitPrice: unit_price,
        eventId: pool === REGULAR_POOL ? null : pool,
      })),
      total: row.total,
      placedAt: row.placed_at.toISOString(),
      expiresAt: row.expires_at?.toISOString() ?? null,
    },
  };
}
