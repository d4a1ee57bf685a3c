import type { Transaction } from '../database.ts';

const SQL = 'delete from outbox where id between ? and ?';

/** Forgets entries that were told, from the id `first` to `last`. */
export async function deleteOutboxRows(
  transaction: Transaction,
  { first, last }: { first: number; last: number },
): Promise<void> {
  await transaction.query(SQL, [first, last]);
}
