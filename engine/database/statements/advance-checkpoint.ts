import type { Checkpoint, Position } from '../../domain/position.ts';
import type { Transaction } from '../database.ts';

const SQL = `update journal_checkpoint set epoch = ?, sequence = ?, applied_at = utc_timestamp(3)
  where id = 1 and epoch = ? and sequence = ? and fence = ?`;

/**
 * Moves the checkpoint from `from` to `to`. Resolves to false when it is not at `from` any more, or the fence is another:
 * another writer has applied these entries, or a recovery has begun, and the transaction must be rolled back (P4). Comes first in its transaction, so that two
 * writers wait for each other here rather than deadlock further on.
 */
export async function advanceCheckpoint(
  transaction: Transaction,
  from: Checkpoint,
  to: Position,
): Promise<boolean> {
  const result = await transaction.query(SQL, [to.epoch, to.sequence, from.epoch, from.sequence, from.fence]);
  return (result as { affectedRows: number }).affectedRows === 1;
}
