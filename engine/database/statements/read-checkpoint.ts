import type { Checkpoint } from '../../domain/position.ts';
import type { Database } from '../database.ts';

/** The place of the last journal entry that MariaDB has, and the fence in force. */
export async function readCheckpoint(database: Database): Promise<Checkpoint> {
  return await database.query
    .selectFrom('journal_checkpoint')
    .select(['epoch', 'sequence', 'fence'])
    .where('id', '=', 1)
    .executeTakeFirstOrThrow();
}
