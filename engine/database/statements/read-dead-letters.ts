import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';

export type DeadLetterStatus = 'waiting' | 'replayed' | 'dropped';

/** An entry that was set aside, without its content, and what became of it. */
export interface DeadLetterSummary {
  readonly position: Position;
  /** Null where the entry cannot be read. */
  readonly kind: string | null;
  /** What MariaDB calls the refusal, or null. */
  readonly code: string | null;
  readonly reason: string;
  readonly status: DeadLetterStatus;
  readonly setAsideAt: Date;
  readonly settledAt: Date | null;
  /** Why it was dropped, or why its last replay was refused. */
  readonly note: string | null;
}

/** All entries that are waiting, or with `isWhole` all that were ever set aside, in journal order. */
export async function readDeadLetters({ query }: Database, isWhole: boolean): Promise<DeadLetterSummary[]> {
  const letters = query
    .selectFrom('dead_letters')
    .select(['epoch', 'sequence', 'kind', 'code', 'reason', 'status', 'set_aside_at', 'settled_at', 'note'])
    .orderBy('epoch')
    .orderBy('sequence');
  const rows = await (isWhole ? letters : letters.where('status', '=', 'waiting')).execute();
  return rows.map(({ epoch, sequence, set_aside_at: setAsideAt, settled_at: settledAt, ...rest }) => {
    return { position: { epoch, sequence }, setAsideAt, settledAt, ...rest };
  });
}
