import type { Position } from '../../domain/position.ts';
import type { StoredEntry } from '../../journal/entry.ts';
import type { Transaction } from '../database.ts';
import type { DeadLetterStatus } from './read-dead-letters.ts';

const SQL = 'select content, status from dead_letters where epoch = ? and sequence = ? for update';

/** Reads an entry that was set aside and keeps it as it is until the transaction ends; null where there is none. */
export async function lockDeadLetter(
  transaction: Transaction,
  position: Position,
): Promise<(StoredEntry & { readonly status: DeadLetterStatus }) | null> {
  const rows = await transaction.query(SQL, [position.epoch, position.sequence]);
  const [row] = rows as { content: Buffer; status: DeadLetterStatus }[];
  return row ? { position, ...row } : null;
}
