import type { Position } from '../../domain/position.ts';
import type { Transaction } from '../database.ts';

const SQL = 'select epoch, sequence from journal_checkpoint where id = 1 for update';

/** Reads the checkpoint and holds it: until the transaction ends no writer applies anything. */
export async function lockCheckpoint(transaction: Transaction): Promise<Position> {
  const [{ epoch, sequence }] = await transaction.query(SQL);
  return { epoch, sequence };
}
