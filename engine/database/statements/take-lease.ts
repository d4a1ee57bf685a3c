import type { Database } from '../database.ts';

/** Who asks for a lease, and for how long. */
export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly seconds: number;
}

const IS_FREE = `select count(*) as free from leases
  where name = ? and (holder = ? or until <= utc_timestamp(3) or until > utc_timestamp(3) + interval ? second)`;
const EXISTS = 'select count(*) as known from leases where name = ?';
const MAKE = `insert ignore into leases (name, holder, until) values (?, ?, utc_timestamp(3))`;
const TAKE = `update leases set holder = ?, until = utc_timestamp(3) + interval ? second
  where name = ? and (holder = ? or until <= utc_timestamp(3) or until > utc_timestamp(3) + interval ? second)`;

/**
 * Takes a lease that is free, lapsed by MariaDB's clock, or the holder's own already. Resolves to whether it has it. One that ends later
 * than any lease could (the clock went back since) has lapsed too. Whoever only waits looks without a lock.
 */
export async function takeLease({ pool }: Database, request: LeaseRequest): Promise<boolean> {
  const { name, holder, seconds } = request;
  const [{ known }] = await pool.query(EXISTS, [name]);
  if (known === 0) await pool.query(MAKE, [name, holder]);
  const [{ free }] = await pool.query(IS_FREE, [name, holder, seconds]);
  if (free === 0) return false;
  const result = await pool.query(TAKE, [holder, seconds, name, holder, seconds]);
  return (result as { affectedRows: number }).affectedRows === 1;
}
