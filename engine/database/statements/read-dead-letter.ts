import type { Position } from '../../domain/position.ts';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Database } from '../database.ts';

/** The entry at `position`, where it is set aside and waits to be replayed or dropped; else null. */
export async function readDeadLetter(
  { query }: Database,
  { epoch, sequence }: Position,
): Promise<StoredEntry | null> {
  const row = await query
    .selectFrom('dead_letters')
    .select('content')
    .where('epoch', '=', epoch)
    .where('sequence', '=', sequence)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  return row ? { position: { epoch, sequence }, content: row.content } : null;
}
