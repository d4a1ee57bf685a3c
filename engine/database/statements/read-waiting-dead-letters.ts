import type { Kysely } from 'kysely';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Schema } from '../schema.ts';

/**
 * Entries that are set aside and neither replayed nor dropped, in journal order: what Redis has and MariaDB does not.
 * `db` may be a connection inside a snapshot.
 */
export async function readWaitingDeadLetters(db: Kysely<Schema>): Promise<StoredEntry[]> {
  const rows = await db
    .selectFrom('dead_letters')
    .select(['epoch', 'sequence', 'content'])
    .where('status', '=', 'waiting')
    .orderBy('epoch')
    .orderBy('sequence')
    .execute();
  return rows.map(({ epoch, sequence, content }) => ({ position: { epoch, sequence }, content }));
}
