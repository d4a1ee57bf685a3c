import { type Kysely, type Selectable, sql } from 'kysely';
import { formatOrderId } from '../../domain/order-id.ts';
import { countKey } from '../../domain/pool.ts';
import type { Position } from '../../domain/position.ts';
import type { EventItem } from '../../domain/sale-event.ts';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';
import type { EventRow } from './upsert-events.ts';

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
  readonly events: readonly EventRow[];
  /** Id of an open event -> SKU and user (`countKey`) -> units in orders decided after its opening that are live. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
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
  const events = await readEvents(db);
  const held = await db.selectFrom('orders').select('id').where('status', '=', 'held').execute();
  return {
    checkpoint,
    levels: await readLevels(db),
    prices: new Map(prices.map(({ sku, price }) => [sku, price])),
    wishlists: await readWishlists(db),
    orders: Number(count),
    held: held.map(({ id }) => id),
    unsoundOrders: await readUnsoundOrders(db),
    events,
    counts: await readCounts(db, events),
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

async function readEvents(db: Kysely<Schema>): Promise<EventRow[]> {
  const items = new Map<string, EventItem[]>();
  for (const row of await db.selectFrom('sale_event_items').selectAll().orderBy('line').execute()) {
    const { event_id, sku, stock, price, limit_per_user } = row;
    const item = { sku, stock, price, limitPerUser: limit_per_user };
    items.set(event_id, [...(items.get(event_id) ?? []), item]);
  }
  const rows = await db.selectFrom('sale_events').selectAll().execute();
  return rows.map((row) => toEventRow(row, items.get(row.id) ?? []));
}

function toEventRow(row: Selectable<Schema['sale_events']>, items: EventItem[]): EventRow {
  const { id, name, status, opened_epoch: epoch, opened_sequence: sequence } = row;
  const times = { startsAt: row.starts_at.getTime(), endsAt: row.ends_at.getTime() };
  return {
    event: { id, name, ...times, status, holdSeconds: row.hold_seconds, items },
    opened: epoch === null || sequence === null ? null : { epoch, sequence },
  };
}

/** Order ids sort as the orders were decided: those after the opening are a range of the primary key. */
async function readCounts(
  db: Kysely<Schema>,
  events: readonly EventRow[],
): Promise<Map<string, Map<string, number>>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { event, opened } of events) {
    if (event.status !== 'open' || !opened) continue;
    const after = formatOrderId({ ...opened, index: 0 });
    const { rows } = await sql<{ sku: string; user: string; units: number }>`
      select i.sku, o.user_id as user, cast(sum(i.quantity) as signed) as units
      from order_items as i join orders as o on o.id = i.order_id
      where i.order_id > ${after} and o.id > ${after} and i.pool = ${event.id} and o.status in ('held', 'placed')
      group by i.sku, o.user_id`.execute(db);
    counts.set(event.id, new Map(rows.map(({ sku, user, units }) => [countKey(sku, user), units])));
  }
  return counts;
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
