import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Entries that are still to be told, and for how many seconds the oldest of them has waited (0 where there is none). */
export interface OutboxBacklog {
  readonly entries: number;
  readonly seconds: number;
}

/** Counts what waits in the outbox. */
export async function readOutboxBacklog(database: Database): Promise<OutboxBacklog> {
  const { rows } = await sql<{ entries: number; seconds: number | null }>`
    select (select count(*) from outbox) as entries,
           (select timestampdiff(microsecond, written_at, utc_timestamp(6)) / 1000000
            from outbox order by id limit 1) as seconds`.execute(database.query);
  const { entries, seconds } = rows[0]!;
  return { entries: Number(entries), seconds: Math.max(0, Number(seconds ?? 0)) };
}
