import { type Kysely, sql } from 'kysely';
import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';

/** One level with what it should be: movements less units in live orders. All in units. */
export interface LedgerLevel {
  readonly sku: string;
  readonly pool: string;
  readonly available: number | null;
  readonly moved: number;
  readonly ordered: number;
}

/** An order whose total is not the sum of its lines; `lines` null = it has none, `total` null = lines without order. */
export interface UnsoundOrder {
  readonly id: string;
  readonly total: number | null;
  readonly lines: number | null;
}

/** MariaDB as it was at one instant. */
export interface Ledger {
  readonly checkpoint: Position;
  readonly levels: readonly LedgerLevel[];
  readonly prices: ReadonlyMap<string, number>;
  /** User -> SKU -> quantity. */
  readonly wishlists: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly orders: number;
  /** Ids of the orders that are held. */
  readonly held: readonly string[];
  readonly unsoundOrders: readonly UnsoundOrder[];
}

/**
 * Opens one consistent snapshot of MariaDB and lets `work` read from it. The checkpoint is read at once; the ledger
 * when it is asked for, so that Redis can be read in between: whatever commits meanwhile is not seen.
 */
export async function withSnapshot<T>(
  database: Database,
  work: (snapshot: { checkpoint: Position; readLedger: () => Promise<Ledger> }) => Promise<T>,
): Promise<T> {
  return await database.query.connection().execute(async (db) => {
    await sql`set transaction isolation level repeatable read`.execute(db);
    await sql`start transaction with consistent snapshot, read only`.execute(db);
    try {
      const checkpoint = await db
        .selectFrom('journal_checkpoint')
        .select(['epoch', 'sequence'])
        .where('id', '=', 1)
        .executeTakeFirstOrThrow();
      return await work({ checkpoint, readLedger: () => readLedger(db, checkpoint) });
    } finally {
      await sql`rollback`.execute(db);
    }
  });
}

async function readLedger(db: Kysely<Schema>, checkpoint: Position): Promise<Ledger> {
  const prices = await db.selectFrom('products').select(['sku', 'price']).execute();
  const { count } = await db
    .selectFrom('orders')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const held = await db.selectFrom('orders').select('id').where('status', '=', 'held').execute();
  return {
    checkpoint,
    levels: await readLevels(db),
    prices: new Map(prices.map(({ sku, price }) => [sku, price])),
    wishlists: await readWishlists(db),
    orders: Number(count),
    held: held.map(({ id }) => id),
    unsoundOrders: await readUnsoundOrders(db),
  };
}

/** From every side at once: a level without movements, and movements or orders without a level, both show. */
async function readLevels(db: Kysely<Schema>): Promise<LedgerLevel[]> {
  const { rows } = await sql<LedgerLevel>`
    select sku, pool, max(available) as available, cast(sum(moved) as signed) as moved,
           cast(sum(ordered) as signed) as ordered
    from (
      select sku, pool, available, 0 as moved, 0 as ordered from stock_levels
      union all
      select sku, pool, null, sum(delta), 0 from stock_movements group by sku, pool
      union all
      select sku, pool, null, 0, sum(quantity) from order_items join orders on orders.id = order_items.order_id
        where orders.status in ('held', 'placed') group by sku, pool
    ) as sides
    group by sku, pool`.execute(db);
  return rows;
}

async function readWishlists(db: Kysely<Schema>): Promise<Map<string, Map<string, number>>> {
  const wishlists = new Map<string, Map<string, number>>();
  for (const row of await db.selectFrom('wishlist_items').selectAll().execute()) {
    const lines = wishlists.get(row.user_id) ?? new Map<string, number>();
    wishlists.set(row.user_id, lines.set(row.sku, row.quantity));
  }
  return wishlists;
}

async function readUnsoundOrders(db: Kysely<Schema>): Promise<UnsoundOrder[]> {
  const { rows } = await sql<UnsoundOrder>`
    select id, cast(max(total) as signed) as total, cast(sum(line_total) as signed) as \`lines\`
    from (
      select id, total, null as line_total from orders
      union all
      select order_id, null, sum(quantity * unit_price) from order_items group by order_id
    ) as sides
    group by id
    having not (max(total) <=> sum(line_total))
    limit 1000`.execute(db);
  return rows;
}
