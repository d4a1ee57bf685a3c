import type { Repeat } from '../../domain/recurrence.ts';
import type { Database } from '../database.ts';
import { type RepeatColumns, repeatOf } from '../repeat-columns.ts';

/** What a sale event is about to do: open at `startsAt` where it is scheduled, close at `endsAt` where it is open. ms since 1970. */
export interface UpcomingEvent {
  readonly id: string;
  readonly occurrence: number;
  readonly status: 'scheduled' | 'open';
  readonly startsAt: number;
  readonly endsAt: number;
  readonly repeat: Repeat | null;
}

interface Row extends RepeatColumns {
  readonly id: string;
  readonly occurrence: number;
  readonly status: 'scheduled' | 'open';
  readonly starts_at: Date;
  readonly ends_at: Date;
}

const COLUMNS =
  'id, occurrence, status, starts_at, ends_at, repeat_cron, repeat_timezone, repeat_minutes from sale_events';

// Two halves, because each is a range of the index by_status.
const SQL = `select ${COLUMNS} where status = 'scheduled' and starts_at < ?
  union all select ${COLUMNS} where status = 'open' and ends_at < ?`;

/** The events that open or close before `before` (ms since 1970), those that should have long ago among them. */
export async function readUpcomingEvents({ pool }: Database, before: number): Promise<UpcomingEvent[]> {
  const rows = (await pool.query(SQL, [new Date(before), new Date(before)])) as Row[];
  return rows.map((row) => ({
    id: row.id,
    occurrence: row.occurrence,
    status: row.status,
    startsAt: row.starts_at.getTime(),
    endsAt: row.ends_at.getTime(),
    repeat: repeatOf(row),
  }));
}
