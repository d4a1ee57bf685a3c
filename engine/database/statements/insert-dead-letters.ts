import type { StoredEntry } from '../../journal/entry.ts';
import type { Transaction } from '../database.ts';

/** A journal entry that is set aside: MariaDB refused it, or it cannot be read. */
export interface DeadLetterRow extends StoredEntry {
  /** Null where it cannot be read. */
  readonly kind: string | null;
  /** What MariaDB calls the refusal, for example `ER_DATA_TOO_LONG`; null where it was not MariaDB. */
  readonly code: string | null;
  /** For people. */
  readonly reason: string;
}

const SQL = `insert into dead_letters (epoch, sequence, kind, code, reason, content, set_aside_at)
  values (?, ?, ?, ?, ?, ?, utc_timestamp(3))`;

/** Keeps entries whole that are not applied, so that nothing is lost. */
export async function insertDeadLetters(
  transaction: Transaction,
  rows: readonly DeadLetterRow[],
): Promise<void> {
  for (const { position, kind, code, reason, content } of rows)
    await transaction.query(SQL, [position.epoch, position.sequence, kind, code, reason, content]);
}
