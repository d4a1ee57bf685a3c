import type { Position } from '../../domain/position.ts';
import type { SaleEvent } from '../../domain/sale-event.ts';
import type { Transaction } from '../database.ts';

/** A sale event as it is now; `opened` where it was opened since it was last written. */
export interface EventRow {
  readonly event: SaleEvent;
  readonly opened: Position | null;
}

const UPSERT = `insert into sale_events
    (id, name, starts_at, ends_at, status, hold_seconds, occurrence, repeat_cron, repeat_timezone, repeat_minutes,
     opened_epoch, opened_sequence)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on duplicate key update name = values(name), starts_at = values(starts_at), ends_at = values(ends_at),
    status = values(status), hold_seconds = values(hold_seconds), occurrence = values(occurrence),
    repeat_cron = values(repeat_cron), repeat_timezone = values(repeat_timezone),
    repeat_minutes = values(repeat_minutes),
    opened_epoch = coalesce(values(opened_epoch), opened_epoch),
    opened_sequence = coalesce(values(opened_sequence), opened_sequence)`;

const FORGET_ITEMS = 'delete from sale_event_items where event_id = ?';

const INSERT_ITEMS = `insert into sale_event_items (event_id, line, sku, stock, price, limit_per_user)
  values (?, ?, ?, ?, ?, ?)`;

/** Brings sale events and their items up to date. */
export async function upsertEvents(transaction: Transaction, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(UPSERT, rows.map(toRow));
  await transaction.batch(
    FORGET_ITEMS,
    rows.map(({ event }) => [event.id]),
  );
  await transaction.batch(INSERT_ITEMS, rows.flatMap(toItemRows));
}

function toRow({ event, opened }: EventRow): unknown[] {
  const { id, name, startsAt, endsAt, status, holdSeconds, occurrence, repeat } = event;
  const times = [new Date(startsAt), new Date(endsAt)];
  const again = [repeat?.cron ?? null, repeat?.timezone ?? null, repeat?.durationMinutes ?? null];
  const opening = [opened?.epoch ?? null, opened?.sequence ?? null];
  return [id, name, ...times, status, holdSeconds, occurrence, ...again, ...opening];
}

function toItemRows({ event }: EventRow): unknown[][] {
  return event.items.map(({ sku, stock, price, limitPerUser }, line) => [
    event.id,
    line,
    sku,
    stock,
    price,
    limitPerUser,
  ]);
}
