import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Rows of entries that are still to be told, and for how many seconds the oldest of them has waited (0 where there is none). */
export interface OutboxBacklog {
  readonly rows: number;
  readonly seconds: number;
}

/** Counts what waits in the outbox. */
export async function readOutboxBacklog(database: Database): Promise<OutboxBacklog> {
  const { rows } = await sql<{ count: number; seconds: number | null }>`
    select (select count(*) from outbox) as count,
           (select timestampdiff(microsecond, written_at, utc_timestamp(6)) / 1000000
            from outbox order by id limit 1) as seconds`.execute(database.query);
  const { count, seconds } = rows[0]!;
  return { rows: Number(count), seconds: Math.max(0, Number(seconds ?? 0)) };
}
