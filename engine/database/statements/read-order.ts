import { sql } from 'kysely';
import type { KeptOrder, OrderStatus } from '../../domain/order.ts';
import { eventOf } from '../../domain/pool.ts';
import type { Database } from '../database.ts';

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly status: OrderStatus;
  readonly total: number;
  readonly placed_at: Date;
  readonly expires_at: Date | null;
  readonly sku: string;
  readonly pool: string;
  readonly quantity: number;
  readonly unit_price: number;
  readonly epoch: number;
  readonly sequence: number;
}

/**
 * Reads one order with its lines, or null when MariaDB does not have it (yet). One statement: the order's status and
 * the checkpoint are of one instant, so that `asOf` is true.
 */
export async function readOrder(database: Database, id: string): Promise<KeptOrder | null> {
  const { rows } = await sql<Row>`
    select o.id, o.user_id, o.status, o.total, o.placed_at, o.expires_at,
           i.sku, i.pool, i.quantity, i.unit_price, c.epoch, c.sequence
    from orders as o
    join order_items as i on i.order_id = o.id
    join journal_checkpoint as c on c.id = 1
    where o.id = ${id}
    order by i.line`.execute(database.query);
  return rows[0] ? toOrder(rows[0], rows) : null;
}

function toOrder(first: Row, rows: readonly Row[]): KeptOrder {
  const { id, user_id, status, total, placed_at, expires_at, epoch, sequence } = first;
  return {
    userId: user_id,
    order: {
      id,
      status: expires_at ? 'held' : 'placed',
      items: rows.map(toLine),
      total,
      placedAt: placed_at.toISOString(),
      expiresAt: expires_at?.toISOString() ?? null,
    },
    status,
    asOf: { epoch, sequence },
  };
}

function toLine({ sku, quantity, unit_price, pool }: Row) {
  return { sku, quantity, unitPrice: unit_price, eventId: eventOf(pool) };
}
