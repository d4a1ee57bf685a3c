import type { Kysely } from 'kysely';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Schema } from '../schema.ts';

/** An entry that is still to be told, and its place in the order in which MariaDB took the entries in. */
export interface OutboxRow extends StoredEntry {
  readonly id: number;
}

/** Which rows: those after the id `after`, up to and including `last` if given, `count` a page. */
export interface OutboxRange {
  readonly after: number;
  readonly last?: number;
  readonly count: number;
}

/** Walks the outbox in the order of ids. */
export async function* readOutboxPages(
  db: Kysely<Schema>,
  { after, last = Number.MAX_SAFE_INTEGER, count }: OutboxRange,
): AsyncGenerator<OutboxRow[]> {
  for (let from = after; ; ) {
    const page = await readPage(db, { after: from, last, count });
    if (page.length > 0) yield page;
    if (page.length < count) return;
    from = page.at(-1)!.id;
  }
}

async function readPage(
  db: Kysely<Schema>,
  { after, last, count }: Required<OutboxRange>,
): Promise<OutboxRow[]> {
  const rows = await db
    .selectFrom('outbox')
    .select(['id', 'epoch', 'sequence', 'content'])
    .where('id', '>', after)
    .where('id', '<=', last)
    .orderBy('id')
    .limit(count)
    .execute();
  return rows.map(({ id, epoch, sequence, content }) => ({ id, position: { epoch, sequence }, content }));
}

/** Whether there are any rows after the id `after`. */
export async function hasOutboxRows(db: Kysely<Schema>, after: number): Promise<boolean> {
  const query = db.selectFrom('outbox').select('id').where('id', '>', after).orderBy('id').limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}
