import type { Kysely } from 'kysely';
import { levelField } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';

/** An order that is held: whose it is, until when (ms since 1970, null = not said), and its lines, flat: level field, quantity, ... */
export interface HoldRecord {
  readonly id: string;
  readonly user: string;
  readonly deadline: number | null;
  readonly units: readonly (string | number)[];
}

/** Walks the orders that are held by id, `count` a page. */
export async function* readHoldPages(db: Kysely<Schema>, count: number): AsyncGenerator<HoldRecord[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows = await db
      .selectFrom('orders')
      .select(['id', 'user_id', 'expires_at'])
      .where('status', '=', 'held')
      .where('id', '>', after)
      .orderBy('id')
      .limit(count)
      .execute();
    const units = await readUnits(
      db,
      rows.map(({ id }) => id),
    );
    yield rows.map(({ id, user_id, expires_at }) => ({
      id,
      user: user_id,
      deadline: expires_at?.getTime() ?? null,
      units: units.get(id) ?? [],
    }));
    after = rows.length < count ? undefined : rows.at(-1)!.id;
  }
}

async function readUnits(
  db: Kysely<Schema>,
  ids: readonly string[],
): Promise<Map<string, (string | number)[]>> {
  const units = new Map<string, (string | number)[]>();
  if (ids.length === 0) return units;
  const rows = await db
    .selectFrom('order_items')
    .select(['order_id', 'sku', 'pool', 'quantity'])
    .where('order_id', 'in', ids)
    .orderBy('order_id')
    .orderBy('line')
    .execute();
  for (const { order_id, quantity, ...level } of rows) {
    const flat = units.get(order_id) ?? [];
    flat.push(levelField(level), quantity);
    units.set(order_id, flat);
  }
  return units;
}

/** Which of these orders are held. */
export async function findHolds(db: Kysely<Schema>, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const query = db.selectFrom('orders').select('id').where('status', '=', 'held').where('id', 'in', ids);
  return (await query.execute()).map(({ id }) => id);
}
