import type { Kysely } from 'kysely';
import type { LevelUnits } from '../../journal/entry.ts';
import type { Schema } from '../schema.ts';

/** An order that is held: what goes back if it is not paid, and until when. */
export interface HeldOrder {
  readonly id: string;
  readonly userId: string;
  /** Ms since 1970. */
  readonly expiresAt: number;
  /** In the order of its lines. */
  readonly units: readonly LevelUnits[];
}

/** Up to `count` held orders after the id `after`, in the order of their ids. */
export async function pageHeldOrders(db: Kysely<Schema>, after: string, count: number): Promise<HeldOrder[]> {
  const orders = await db
    .selectFrom('orders')
    .select(['id', 'user_id', 'expires_at'])
    .where('status', '=', 'held')
    .where('id', '>', after)
    .orderBy('id')
    .limit(count)
    .execute();
  const units = await readUnits(
    db,
    orders.map(({ id }) => id),
  );
  return orders.map(({ id, user_id, expires_at }) => ({
    id,
    userId: user_id,
    expiresAt: expires_at?.getTime() ?? 0,
    units: units.get(id) ?? [],
  }));
}

async function readUnits(db: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, LevelUnits[]>> {
  const units = new Map<string, LevelUnits[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return units;
  const rows = await db
    .selectFrom('order_items')
    .select(['order_id', 'sku', 'pool', 'quantity'])
    .where('order_id', 'in', ids)
    .orderBy('order_id')
    .orderBy('line')
    .execute();
  for (const { order_id, ...line } of rows) units.get(order_id)!.push(line);
  return units;
}
