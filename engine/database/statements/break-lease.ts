import type { Transaction } from '../database.ts';

const SQL = 'update leases set holder = ?, until = utc_timestamp(3) where name = ?';

/** Takes a lease from whoever has it and leaves it free: its holder cannot renew it, and must begin anew. */
export async function breakLease(transaction: Transaction, name: string, by: string): Promise<void> {
  await transaction.query(SQL, [by, name]);
}
