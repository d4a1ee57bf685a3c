import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';

/** The place of the last journal entry that MariaDB has. */
export async function readCheckpoint(database: Database): Promise<Position> {
  return await database.query
    .selectFrom('journal_checkpoint')
    .select(['epoch', 'sequence'])
    .where('id', '=', 1)
    .executeTakeFirstOrThrow();
}
