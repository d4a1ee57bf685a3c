import type { Position } from '../../domain/position.ts';
import type { Transaction } from '../database.ts';

const SQL = `update dead_letters set status = ?, note = ?, settled_at = utc_timestamp(3)
  where epoch = ? and sequence = ?`;

/** What becomes of an entry that was waiting, and why. */
export interface DeadLetterSettlement {
  readonly status: 'replayed' | 'dropped';
  readonly note: string | null;
}

/** Says what became of an entry that was set aside. Whoever does so has locked it. */
export async function settleDeadLetter(
  transaction: Transaction,
  { epoch, sequence }: Position,
  { status, note }: DeadLetterSettlement,
): Promise<void> {
  await transaction.query(SQL, [status, note, epoch, sequence]);
}
