import { type Kysely, type RawBuilder, sql } from 'kysely';
import { formatOrderId } from '../../domain/order-id.ts';
import type { Position } from '../../domain/position.ts';
import type { Schema } from '../schema.ts';

/** Units of one SKU of an event that one customer has in live orders. */
export interface LimitCount {
  readonly sku: string;
  readonly user: string;
  readonly units: number;
}

/** An event, and the journal entry that opened it: its limits count the orders decided after that. */
export interface Opening {
  readonly eventId: string;
  readonly opened: Position;
}

/** Walks what the limits of an event count by customer, the orders of about `count` customers a page. */
export async function* readLimitCountPages(
  db: Kysely<Schema>,
  opening: Opening,
  count: number,
): AsyncGenerator<LimitCount[]> {
  for (let after: string | null = ''; after !== null; ) {
    const last = await readBoundary(db, after, count);
    const users =
      last === null ? sql`o.user_id > ${after}` : sql`o.user_id > ${after} and o.user_id <= ${last}`;
    yield await readCounts(db, opening, users);
    after = last;
  }
}

/** What the limits of an event count for these customers. */
export async function findLimitCounts(
  db: Kysely<Schema>,
  opening: Opening,
  users: readonly string[],
): Promise<LimitCount[]> {
  if (users.length === 0) return [];
  return await readCounts(db, opening, sql`o.user_id in (${sql.join(users)})`);
}

async function readBoundary(db: Kysely<Schema>, after: string, count: number): Promise<string | null> {
  const { rows } = await sql<{ user: string }>`
    select user_id as user from orders force index (by_user) where user_id > ${after}
    order by user_id limit 1 offset ${count - 1}`.execute(db);
  return rows[0]?.user ?? null;
}

/** Order ids sort as the orders were decided, and the index by user has them: only orders after the opening are read. */
async function readCounts(
  db: Kysely<Schema>,
  { eventId, opened }: Opening,
  users: RawBuilder<unknown>,
): Promise<LimitCount[]> {
  const after = formatOrderId({ ...opened, index: 0 });
  const { rows } = await sql<LimitCount>`
    select i.sku, o.user_id as user, cast(sum(i.quantity) as signed) as units
    from orders as o force index (by_user) join order_items as i on i.order_id = o.id
    where ${users} and o.id > ${after} and i.pool = ${eventId} and o.status in ('held', 'placed')
    group by o.user_id, i.sku`.execute(db);
  return rows;
}
