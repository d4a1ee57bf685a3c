import type { Database } from '../database.ts';
import { queryImpatiently } from '../impatient-query.ts';

const KEEP_DAYS = 7;
const WITHIN_MS = 5_000;

const SQL = `delete from processes
  where coalesce(stopped_at, seen_at) < utc_timestamp(3) - interval ${KEEP_DAYS} day
    and exists (select 1 from journal_checkpoint where id = 1
      and (epoch, sequence) >= (acknowledged_epoch, acknowledged_sequence))`;

/**
 * Forgets processes that ended, or were not seen, for a week. One that has told a caller about an entry which MariaDB does
 * not have stays: should Redis lose that entry, it is the only witness (P3).
 */
export async function purgeProcesses(database: Database): Promise<void> {
  await queryImpatiently(database, { sql: SQL, values: [], withinMs: WITHIN_MS });
}
