import { type Kysely, sql } from 'kysely';
import { formatOrderId } from '../../domain/order-id.ts';
import type { Position } from '../../domain/position.ts';
import type { Schema } from '../schema.ts';

/** Units of one SKU that a customer has in live orders of a sale event. */
export interface LimitCount {
  readonly sku: string;
  readonly user: string;
  readonly units: number;
}

/**
 * What the limits of the event `eventId` count: units in live orders that were decided after its opening. Order ids sort
 * as the orders were decided, so those are a range of the primary key.
 */
export async function readLimitCounts(
  db: Kysely<Schema>,
  eventId: string,
  opened: Position,
): Promise<LimitCount[]> {
  const after = formatOrderId({ ...opened, index: 0 });
  const { rows } = await sql<LimitCount>`
    select i.sku, o.user_id as user, cast(sum(i.quantity) as signed) as units
    from order_items as i join orders as o on o.id = i.order_id
    where i.order_id > ${after} and o.id > ${after} and i.pool = ${eventId} and o.status in ('held', 'placed')
    group by i.sku, o.user_id`.execute(db);
  return rows;
}
