import { type Kysely, type Selectable, sql } from 'kysely';
import { formatOrderId } from '../../domain/order-id.ts';
import { comparePositions, parsePosition } from '../../domain/position.ts';
import type { OccurrenceStatus } from '../../domain/sale-event.ts';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';
import { withSnapshot } from '../snapshot.ts';

/**
 * One product of one window, in units. `allotted`: moved into the event's pool, at the opening and by adjustments since, less what
 * adjustments moved back. `returned`: moved back at the close. `sold`: in orders that were decided in the window, drew from
 * the event's pool, and are held or placed now; what was sold and given back after the close is in none of the three. `price`:
 * what was paid for one; null = nobody ordered any.
 */
export interface OccurrenceItem {
  readonly sku: string;
  readonly allotted: number;
  readonly returned: number;
  readonly sold: number;
  readonly price: number | null;
}

/** One window of an event and what became of it; `note`: what people should know of it. */
export interface RecordedOccurrence {
  readonly number: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly status: OccurrenceStatus;
  readonly openedAt: Date | null;
  readonly closedAt: Date | null;
  readonly note: string | null;
  /** Of a window that was never open, none. */
  readonly items: readonly OccurrenceItem[];
}

export interface OccurrencePage {
  readonly limit: number;
  /** Only windows of smaller numbers; null = from the newest on. */
  readonly before: number | null;
}

type OccurrenceRow = Selectable<Schema['sale_event_occurrences']>;

/** The recorded windows of an event, newest first, all of one instant: as far as MariaDB has the journal. */
export async function readOccurrences(
  database: Database,
  eventId: string,
  { limit, before }: OccurrencePage,
): Promise<RecordedOccurrence[]> {
  return await withSnapshot(database, async ({ db }) => {
    const rows = await db
      .selectFrom('sale_event_occurrences')
      .selectAll()
      .where('event_id', '=', eventId)
      .where('occurrence', '<', before ?? Number.MAX_SAFE_INTEGER)
      .orderBy('occurrence', 'desc')
      .limit(limit)
      .execute();
    const moves = await readMoves(db, eventId, rows);
    const recorded: RecordedOccurrence[] = [];
    for (const row of rows) recorded.push(toRecorded(row, moves, await readSales(db, row)));
    return recorded;
  });
}

interface Move {
  readonly entry: string;
  readonly sku: string;
  readonly delta: number;
  readonly kind: string;
}

/** What these windows moved into the event's pool and out of it. Openings and closings are found by their entries, the rest by SKU. */
async function readMoves(
  db: Kysely<Schema>,
  eventId: string,
  rows: readonly OccurrenceRow[],
): Promise<Move[]> {
  const entries = rows.flatMap(({ opened_entry, closed_entry }) => [opened_entry, closed_entry]);
  const known = entries.filter((entry) => entry !== null);
  if (known.length === 0) return [];
  const movements = db
    .selectFrom('stock_movements')
    .select(['entry', 'sku', 'delta', 'kind'])
    .where('pool', '=', eventId)
    .orderBy('line');
  const ends = await movements.where('entry', 'in', known).execute();
  const skus = [...new Set(ends.map(({ sku }) => sku))];
  if (skus.length === 0) return [];
  const between = await movements.where('sku', 'in', skus).where('kind', '=', 'allotment').execute();
  return [...ends, ...between];
}

interface Sales {
  readonly sku: string;
  readonly ordered: number;
  readonly price: number;
}

interface WindowSales {
  readonly sales: readonly Sales[];
  /** Units of orders that are cancelled or expired now, by SKU. */
  readonly givenBack: ReadonlyMap<string, number>;
}

/**
 * What the window's orders drew from the event's pool, and what was given back of it since. Order ids sort as the orders were decided, so
 * only those between opening and close are read; and most orders stand, so their statuses are looked at only for those that do not.
 */
async function readSales(db: Kysely<Schema>, row: OccurrenceRow): Promise<WindowSales> {
  if (row.opened_entry === null) return { sales: [], givenBack: new Map() };
  const after = formatOrderId({ ...parsePosition(row.opened_entry), index: 0 });
  const until = row.closed_entry && formatOrderId({ ...parsePosition(row.closed_entry), index: 0 });
  const isInWindow = (column: string) =>
    until === null
      ? sql`${sql.ref(column)} > ${after}`
      : sql`${sql.ref(column)} > ${after} and ${sql.ref(column)} < ${until}`;
  const { rows: sales } = await sql<Sales>`
    select sku, max(unit_price) as price, cast(sum(quantity) as signed) as ordered
    from order_items where ${isInWindow('order_id')} and pool = ${row.event_id} group by sku`.execute(db);
  const { rows } = await sql<{ sku: string; units: number }>`
    select i.sku, cast(sum(i.quantity) as signed) as units
    from orders as o straight_join order_items as i on i.order_id = o.id
    where ${isInWindow('o.id')} and o.status in ('cancelled', 'expired') and i.pool = ${row.event_id}
    group by i.sku`.execute(db);
  return { sales, givenBack: new Map(rows.map(({ sku, units }) => [sku, units])) };
}

function toRecorded(
  row: OccurrenceRow,
  moves: readonly Move[],
  { sales, givenBack }: WindowSales,
): RecordedOccurrence {
  const items = new Map<string, { sku: string; allotted: number; returned: number }>();
  for (const { entry, sku, delta, kind } of moves) {
    if (!isWithin(row, entry)) continue;
    const item = items.get(sku) ?? { sku, allotted: 0, returned: 0 };
    items.set(sku, item);
    if (kind === 'closing') item.returned -= delta;
    else item.allotted += delta;
  }
  return {
    number: row.occurrence,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    status: row.status,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    note: row.note,
    items: [...items.values()].map((item) => {
      const { ordered = 0, price = null } = sales.find(({ sku }) => sku === item.sku) ?? {};
      return { ...item, sold: ordered - (givenBack.get(item.sku) ?? 0), price };
    }),
  };
}

function isWithin({ opened_entry: opened, closed_entry: closed }: OccurrenceRow, entry: string): boolean {
  if (opened === null || comparePositions(parsePosition(entry), parsePosition(opened)) < 0) return false;
  return closed === null || comparePositions(parsePosition(entry), parsePosition(closed)) <= 0;
}
