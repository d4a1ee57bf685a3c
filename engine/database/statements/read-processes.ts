import { sql } from 'kysely';
import type { Database } from '../database.ts';
import type { ProcessRow } from './upsert-process.ts';

/** A process as MariaDB knows it. */
export interface SeenProcess extends ProcessRow {
  readonly startedAt: Date;
  /** How long ago it was last heard of, ms by MariaDB's clock. */
  readonly seenAgoMs: number;
}

/** Every process that was heard of within `withinHours`, those heard of last first. */
export async function readProcesses(database: Database, withinHours: number): Promise<SeenProcess[]> {
  const rows = await database.query
    .selectFrom('processes')
    .selectAll()
    .select(sql<number>`timestampdiff(microsecond, seen_at, utc_timestamp(3)) div 1000`.as('seen_ago_ms'))
    .where(sql<boolean>`seen_at > utc_timestamp(3) - interval ${withinHours} hour`)
    .orderBy('seen_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    host: row.host,
    pid: row.pid,
    version: row.version,
    url: row.url,
    acknowledged: { epoch: row.acknowledged_epoch, sequence: row.acknowledged_sequence },
    report: row.report,
    isStopped: row.stopped_at !== null,
    startedAt: row.started_at,
    seenAgoMs: Number(row.seen_ago_ms),
  }));
}
