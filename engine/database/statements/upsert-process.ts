import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';
import { queryImpatiently } from '../impatient-query.ts';

/** A running process of ours as it describes itself. */
export interface ProcessRow {
  /** A UUID of this life of the process. */
  readonly id: string;
  readonly kind: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Where it answers HTTP, or null. */
  readonly url: string | null;
  /** The last journal entry about which it has told a caller: what must not be lost (P3). ORIGIN = none. */
  readonly acknowledged: Position;
  /** What else it says of itself, as JSON. */
  readonly report: string;
  /** It has ended in order, and tells nobody about any entry any more. */
  readonly isStopped: boolean;
}

const SQL = `insert into processes
    (id, kind, host, pid, version, url, acknowledged_epoch, acknowledged_sequence, report, started_at, seen_at, stopped_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3), if(?, utc_timestamp(3), null))
  on duplicate key update url = values(url), report = values(report), seen_at = values(seen_at),
    acknowledged_epoch = values(acknowledged_epoch), acknowledged_sequence = values(acknowledged_sequence),
    stopped_at = values(stopped_at)`;

const WITHIN_MS = 2_000;

/** Notes that a process is there, and what it says of itself, by MariaDB's clock. Rejects when that takes longer than 2 s. */
export async function upsertProcess(database: Database, row: ProcessRow): Promise<void> {
  const { id, kind, host, pid, version, url, acknowledged, report, isStopped } = row;
  const place = [acknowledged.epoch, acknowledged.sequence];
  const values = [id, kind, host, pid, version, url, ...place, report, isStopped];
  await queryImpatiently(database, { sql: SQL, values, withinMs: WITHIN_MS });
}
