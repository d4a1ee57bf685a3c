import { type Kysely, sql } from 'kysely';
import type { PoolOfSku } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';

/** An order whose total is not the sum of its lines; `lines` null = it has none, `total` null = lines without order. */
export interface UnsoundOrder {
  readonly id: string;
  readonly total: number | null;
  readonly lines: number | null;
}

/** What stands between two order ids. */
export interface OrderPage {
  readonly orders: number;
  readonly unsound: readonly UnsoundOrder[];
  /** Units in live orders, by level. */
  readonly live: readonly (PoolOfSku & { readonly units: number })[];
}

interface Bounds {
  readonly after: string;
  /** Null = to the end. */
  readonly last: string | null;
}

/** Walks all orders and all lines by ranges of their primary keys, about `count` orders a page. */
export async function* readOrderPages(db: Kysely<Schema>, count: number): AsyncGenerator<OrderPage> {
  for (let after: string | null = ''; after !== null; ) {
    const last = await readBoundary(db, after, count);
    yield await readPage(db, { after, last });
    after = last;
  }
}

async function readBoundary(db: Kysely<Schema>, after: string, count: number): Promise<string | null> {
  const row = await db
    .selectFrom('orders')
    .select('id')
    .where('id', '>', after)
    .orderBy('id')
    .limit(1)
    .offset(count - 1)
    .executeTakeFirst();
  return row?.id ?? null;
}

async function readPage(db: Kysely<Schema>, bounds: Bounds): Promise<OrderPage> {
  return {
    orders: await countPage(db, bounds),
    unsound: [...(await readUnsound(db, bounds)), ...(await readStrayLines(db, bounds))],
    live: await readLive(db, bounds),
  };
}

const within = (column: 'o.id' | 'i.order_id', { after, last }: Bounds) =>
  last === null
    ? sql`${sql.ref(column)} > ${after}`
    : sql`${sql.ref(column)} > ${after} and ${sql.ref(column)} <= ${last}`;

async function countPage(db: Kysely<Schema>, bounds: Bounds): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from orders as o where ${within('o.id', bounds)}`.execute(db);
  return rows[0]!.count;
}

async function readUnsound(db: Kysely<Schema>, bounds: Bounds): Promise<UnsoundOrder[]> {
  const { rows } = await sql<UnsoundOrder>`
    select o.id, cast(max(o.total) as signed) as total, cast(sum(i.quantity * i.unit_price) as signed) as \`lines\`
    from orders as o left join order_items as i on i.order_id = o.id
    where ${within('o.id', bounds)}
    group by o.id
    having not (max(o.total) <=> sum(i.quantity * i.unit_price))`.execute(db);
  return rows;
}

async function readStrayLines(db: Kysely<Schema>, bounds: Bounds): Promise<UnsoundOrder[]> {
  const { rows } = await sql<UnsoundOrder>`
    select i.order_id as id, null as total, cast(sum(i.quantity * i.unit_price) as signed) as \`lines\`
    from order_items as i left join orders as o on o.id = i.order_id
    where ${within('i.order_id', bounds)} and o.id is null
    group by i.order_id`.execute(db);
  return rows;
}

async function readLive(db: Kysely<Schema>, bounds: Bounds): Promise<OrderPage['live']> {
  const { rows } = await sql<OrderPage['live'][number]>`
    select i.sku, i.pool, cast(sum(i.quantity) as signed) as units
    from orders as o join order_items as i on i.order_id = o.id
    where ${within('o.id', bounds)} and ${within('i.order_id', bounds)} and o.status in ('held', 'placed')
    group by i.sku, i.pool`.execute(db);
  return rows;
}

/** How many orders there are. */
export async function countOrders(db: Kysely<Schema>): Promise<number> {
  const { count } = await db
    .selectFrom('orders')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
