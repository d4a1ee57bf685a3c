import type { Kysely, Selectable } from 'kysely';
import type { EventItem } from '../../domain/sale-event.ts';
import { repeatOf } from '../repeat-columns.ts';
import type { Schema } from '../schema.ts';
import type { EventRow } from './upsert-events.ts';

/** Walks all sale events by id, `count` a page. */
export async function* readEventPages(db: Kysely<Schema>, count: number): AsyncGenerator<EventRow[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows = await db
      .selectFrom('sale_events')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(count)
      .execute();
    yield await withItems(db, rows);
    after = rows.length < count ? undefined : rows.at(-1)!.id;
  }
}

/** The events that are open. */
export async function readOpenEvents(db: Kysely<Schema>): Promise<EventRow[]> {
  const rows = await db.selectFrom('sale_events').selectAll().where('status', '=', 'open').execute();
  return await withItems(db, rows);
}

/** Which of these events are there. */
export async function findEvents(db: Kysely<Schema>, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('sale_events').select('id').where('id', 'in', ids).execute();
  return rows.map(({ id }) => id);
}

async function withItems(
  db: Kysely<Schema>,
  rows: readonly Selectable<Schema['sale_events']>[],
): Promise<EventRow[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const query = db.selectFrom('sale_event_items').selectAll().where('event_id', 'in', ids).orderBy('line');
  const items = new Map<string, EventItem[]>();
  for (const { event_id, sku, stock, price, limit_per_user } of await query.execute()) {
    const list = items.get(event_id) ?? [];
    list.push({ sku, stock, price, limitPerUser: limit_per_user });
    items.set(event_id, list);
  }
  return rows.map((row) => toEventRow(row, items.get(row.id) ?? []));
}

function toEventRow(row: Selectable<Schema['sale_events']>, items: EventItem[]): EventRow {
  const { id, name, status, occurrence, opened_epoch: epoch, opened_sequence: sequence } = row;
  const times = { startsAt: row.starts_at.getTime(), endsAt: row.ends_at.getTime() };
  return {
    event: {
      id,
      name,
      ...times,
      status,
      holdSeconds: row.hold_seconds,
      items,
      repeat: repeatOf(row),
      occurrence,
    },
    opened: epoch === null || sequence === null ? null : { epoch, sequence },
  };
}
