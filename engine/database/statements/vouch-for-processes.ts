import type { Database } from '../database.ts';

const SQL = `update processes set stopped_at = utc_timestamp(3)
  where stopped_at is null and seen_at < utc_timestamp(3) - interval ? second`;

/**
 * Counts processes that were not heard of for `seconds` as stopped: for when MariaDB has all that the journal had after
 * they fell silent, so that they can have acknowledged nothing that is not there. One that speaks again is back.
 * Resolves to how many.
 */
export async function vouchForProcesses(database: Database, seconds: number): Promise<number> {
  const { affectedRows } = (await database.pool.query(SQL, [seconds])) as { affectedRows: number };
  return affectedRows;
}
