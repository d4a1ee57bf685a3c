import type { Database } from '../database.ts';

/** How many entries are set aside and neither replayed nor dropped. */
export async function countWaitingDeadLetters(database: Database): Promise<number> {
  const { count } = await database.query
    .selectFrom('dead_letters')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('status', '=', 'waiting')
    .executeTakeFirstOrThrow();
  return Number(count);
}
