import type { Position } from '../../domain/position.ts';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Database } from '../database.ts';

/**
 * One entry that is set aside and waiting, with the checkpoint of the same instant: as of then nothing has become of it in
 * MariaDB. Null where there is none.
 */
export async function readWaitingDeadLetter(
  { query }: Database,
  { epoch, sequence }: Position,
): Promise<{ stored: StoredEntry; asOf: Position } | null> {
  const row = await query
    .selectFrom('dead_letters')
    .innerJoin('journal_checkpoint', (join) => join.onTrue())
    .select(['content', 'journal_checkpoint.epoch as at_epoch', 'journal_checkpoint.sequence as at_sequence'])
    .where('dead_letters.epoch', '=', epoch)
    .where('dead_letters.sequence', '=', sequence)
    .where('status', '=', 'waiting')
    .executeTakeFirst();
  if (!row) return null;
  const asOf = { epoch: row.at_epoch, sequence: row.at_sequence };
  return { stored: { position: { epoch, sequence }, content: row.content }, asOf };
}
