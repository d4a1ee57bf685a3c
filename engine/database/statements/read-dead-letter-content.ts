import type { Position } from '../../domain/position.ts';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Database } from '../database.ts';

/** An entry that was set aside, as it stood in the journal, whatever became of it since; null where there is none. */
export async function readDeadLetterContent(
  { query }: Database,
  position: Position,
): Promise<StoredEntry | null> {
  const row = await query
    .selectFrom('dead_letters')
    .select('content')
    .where('epoch', '=', position.epoch)
    .where('sequence', '=', position.sequence)
    .executeTakeFirst();
  return row ? { position, content: row.content } : null;
}
