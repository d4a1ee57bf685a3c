import type { OccurrenceStatus } from '../../domain/sale-event.ts';
import type { Transaction } from '../database.ts';

/** One window of a sale event; what is null says nothing new. `note`: what people should know of it. */
export interface OccurrenceRow {
  readonly eventId: string;
  readonly number: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly status: OccurrenceStatus;
  readonly openedAt: Date | null;
  /** Journal id of the entry that opened it. */
  readonly openedEntry: string | null;
  readonly closedAt: Date | null;
  readonly closedEntry: string | null;
  readonly note: string | null;
}

/** An occurrence never goes back: of two statuses the later one in its life holds, which is the order of the enum. */
const UPSERT = `insert into sale_event_occurrences
    (event_id, occurrence, starts_at, ends_at, status, opened_at, opened_entry, closed_at, closed_entry, note)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on duplicate key update
    starts_at = if(values(status) + 0 < status + 0, starts_at, values(starts_at)),
    ends_at = if(values(status) + 0 < status + 0, ends_at, values(ends_at)),
    status = if(values(status) + 0 < status + 0, status, values(status)),
    opened_at = coalesce(values(opened_at), opened_at),
    opened_entry = coalesce(values(opened_entry), opened_entry),
    closed_at = coalesce(values(closed_at), closed_at),
    closed_entry = coalesce(values(closed_entry), closed_entry),
    note = coalesce(values(note), note)`;

/** Brings the history of sale events up to date. */
export async function upsertOccurrences(
  transaction: Transaction,
  rows: readonly OccurrenceRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const values = rows.map((row) => [
    ...[row.eventId, row.number, row.startsAt, row.endsAt, row.status],
    ...[row.openedAt, row.openedEntry, row.closedAt, row.closedEntry, row.note],
  ]);
  await transaction.batch(UPSERT, values);
}
