import type { Database, Transaction } from '../database.ts';
import type { LeaseRequest } from './take-lease.ts';

const SQL = `update leases set until = utc_timestamp(3) + interval ? second where name = ? and holder = ?`;

/** Makes a lease last for longer, on its own or within a transaction. Resolves to false when another holder has it. */
export async function renewLease(
  connection: Transaction | Database['pool'],
  { name, holder, seconds }: LeaseRequest,
): Promise<boolean> {
  const result = await connection.query(SQL, [seconds, name, holder]);
  return (result as { affectedRows: number }).affectedRows === 1;
}
