import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';

/** The places of all entries from `first` on that were ever set aside, whatever became of them. */
export async function readDeadLetterPositions({ query }: Database, first: Position): Promise<Position[]> {
  return await query
    .selectFrom('dead_letters')
    .select(['epoch', 'sequence'])
    .where((where) =>
      where.or([
        where('epoch', '>', first.epoch),
        where.and([where('epoch', '=', first.epoch), where('sequence', '>=', first.sequence)]),
      ]),
    )
    .execute();
}
