import type { Kysely, Selectable } from 'kysely';
import type { EventItem } from '../../domain/sale-event.ts';
import type { Schema } from '../schema.ts';
import type { EventRow } from './upsert-events.ts';

/** Every sale event with its items, and the journal entry of its last opening. `db` may be inside a snapshot. */
export async function readEventRows(db: Kysely<Schema>): Promise<EventRow[]> {
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
