import type { Database } from '../database.ts';

// Two halves, because each is a range of the index by_status.
const SQL = `select
  (select count(*) from sale_events
    where status = 'scheduled' and starts_at < utc_timestamp(3) - interval ? microsecond) +
  (select count(*) from sale_events
    where status = 'open' and ends_at < utc_timestamp(3) - interval ? microsecond) as count`;

/** How many sale events should have opened or closed more than `graceMs` ago, by MariaDB's clock, and have not as far as it knows. */
export async function countOverdueEvents({ pool }: Database, graceMs: number): Promise<number> {
  const microseconds = graceMs * 1_000;
  const [row] = (await pool.query(SQL, [microseconds, microseconds])) as { count: number | bigint }[];
  return Number(row!.count);
}
