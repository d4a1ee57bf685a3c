import type { Database } from '../../../engine/database/database.ts';
import { parseOrderId } from '../../../engine/domain/order-id.ts';
import { comparePositions, type Position, parsePosition } from '../../../engine/domain/position.ts';

/** A window of an event as MariaDB tells it in the end. Times in ms since 1970; `opened` and `closed` are journal entries. */
export interface RecordedOccurrence {
  readonly eventId: string;
  readonly number: number;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly status: string;
  readonly openedAt: number | null;
  readonly opened: Position | null;
  readonly closed: Position | null;
  readonly note: string | null;
}

/** A line of an order, with what matters of the order. */
export interface RecordedLine {
  readonly orderId: string;
  readonly user: string;
  readonly isLive: boolean;
  readonly placedAt: number;
  readonly at: Position;
  readonly sku: string;
  readonly pool: string;
  readonly quantity: number;
  readonly unitPrice: number;
}

/** What MariaDB has of a day. */
export interface Records {
  readonly occurrences: readonly RecordedOccurrence[];
  readonly lines: readonly RecordedLine[];
  /** Movements of the kinds `opening` and `closing` into or out of events' pools. */
  readonly moves: readonly { entry: string; kind: string; sku: string; pool: string; delta: number }[];
}

export async function readRecords({ query }: Database): Promise<Records> {
  const [occurrences, lines, movements] = await Promise.all([
    query.selectFrom('sale_event_occurrences').selectAll().execute(),
    query
      .selectFrom('order_items')
      .innerJoin('orders', 'orders.id', 'order_items.order_id')
      .select(['order_id', 'user_id', 'status', 'placed_at', 'sku', 'pool', 'quantity', 'unit_price'])
      .execute(),
    query.selectFrom('stock_movements').selectAll().where('kind', 'in', ['opening', 'closing']).execute(),
  ]);
  return {
    occurrences: occurrences.map((row) => ({
      eventId: row.event_id,
      number: row.occurrence,
      startsAt: row.starts_at.getTime(),
      endsAt: row.ends_at.getTime(),
      status: row.status,
      openedAt: row.opened_at?.getTime() ?? null,
      opened: row.opened_entry === null ? null : parsePosition(row.opened_entry),
      closed: row.closed_entry === null ? null : parsePosition(row.closed_entry),
      note: row.note,
    })),
    lines: lines.map((row) => ({
      orderId: row.order_id,
      user: row.user_id,
      isLive: row.status === 'placed' || row.status === 'held',
      placedAt: row.placed_at.getTime(),
      at: parseOrderId(row.order_id)!,
      sku: row.sku,
      pool: row.pool,
      quantity: row.quantity,
      unitPrice: row.unit_price,
    })),
    moves: movements.filter(({ pool }) => pool !== 'regular'),
  };
}

/** Whether an order was decided while the event was open for it, by the journal and by the clock. */
export function isWithin({ at, placedAt }: RecordedLine, window: RecordedOccurrence): boolean {
  const { opened, closed, startsAt, endsAt } = window;
  return (
    opened !== null &&
    comparePositions(at, opened) > 0 &&
    (closed === null || comparePositions(at, closed) < 0) &&
    placedAt >= startsAt &&
    placedAt < endsAt
  );
}
