import type { Database } from '../database.ts';

const SQL = 'update leases set until = utc_timestamp(3) where name = ? and holder = ?';

/** Gives a lease back before its time, so that another need not wait. */
export async function releaseLease({ pool }: Database, name: string, holder: string): Promise<void> {
  await pool.query(SQL, [name, holder]);
}
