import { sql } from 'kysely';
import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';

/** A process of ours, and the last journal entry about which it has told a caller: that entry must never be lost. */
export interface Witness {
  /** Of its row: a UUID of this life of the process. */
  readonly id: string;
  readonly kind: string;
  readonly host: string;
  readonly pid: number;
  readonly acknowledged: Position;
  /** It ended in order, or was found dead and all that it can have acknowledged is in MariaDB: it will say no more. */
  readonly isStopped: boolean;
  /** Its gate was open when it last spoke: it may have acknowledged more since. */
  readonly isOpen: boolean;
  /** When it last said so, by MariaDB's clock, ms since 1970. */
  readonly seenAt: number;
}

/** What every process says it has acknowledged, and MariaDB's clock, ms since 1970. */
export interface Testimony {
  readonly witnesses: readonly Witness[];
  readonly now: number;
}

/** Processes that acknowledge nothing: they only carry out what the journal has. */
const SILENT_KINDS = ['writer'];

/** Reads what every process that acknowledges entries says it has acknowledged. */
export async function readTestimony({ query }: Database): Promise<Testimony> {
  const rows = await query
    .selectFrom('processes')
    .select([
      'id',
      'kind',
      'host',
      'pid',
      'acknowledged_epoch',
      'acknowledged_sequence',
      'stopped_at',
      'seen_at',
      'report',
    ])
    .where('kind', 'not in', SILENT_KINDS)
    .execute();
  const clock = await sql<{ now: Date }>`select utc_timestamp(3) as now`.execute(query);
  return {
    now: clock.rows[0]!.now.getTime(),
    witnesses: rows.filter(mayAcknowledge).map(({ id, kind, host, pid, ...row }) => ({
      id,
      kind,
      host,
      pid,
      acknowledged: { epoch: row.acknowledged_epoch, sequence: row.acknowledged_sequence },
      isStopped: row.stopped_at !== null,
      isOpen: isOpen(row.report),
      seenAt: row.seen_at.getTime(),
    })),
  };
}

/** A scheduler that consumes nothing has no gate, and has nothing to acknowledge. */
function mayAcknowledge({ kind, report }: { kind: string; report: string }): boolean {
  return kind !== 'scheduler' || gateOf(report) !== undefined;
}

/** Of its report (`ProcessReport`): a gate without reasons is open; who has no gate says when it is done. */
function isOpen(report: string): boolean {
  return gateOf(report)?.reasons.length === 0;
}

function gateOf(report: string): { reasons: unknown[] } | undefined {
  return (JSON.parse(report) as { gate?: { reasons: unknown[] } }).gate;
}
