import type { Database, Transaction } from '../database.ts';
import type { OutboxRow } from './read-outbox-pages.ts';

const SQL = `select id, epoch, sequence, content, written_at < utc_timestamp(3) - interval ? day as is_old
  from outbox order by id limit ?`;
const FIRST = `select written_at < utc_timestamp(3) - interval ? day as is_old from outbox order by id limit 1`;

interface Row {
  readonly id: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly content: Buffer;
  readonly is_old: number;
}

/** The first `count` rows of the outbox at most, as far as they have waited for more than so many days. */
export async function readOldOutboxRows(
  transaction: Transaction,
  { days, count }: { days: number; count: number },
): Promise<OutboxRow[]> {
  const rows = (await transaction.query(SQL, [days, count])) as Row[];
  const end = rows.findIndex(({ is_old }) => is_old === 0);
  return rows
    .slice(0, end === -1 ? rows.length : end)
    .map(({ id, epoch, sequence, content }) => ({ id, position: { epoch, sequence }, content }));
}

/** Whether the first of them has waited for longer. */
export async function hasOldOutboxRows({ pool }: Database, days: number): Promise<boolean> {
  const rows = (await pool.query(FIRST, [days])) as Pick<Row, 'is_old'>[];
  return rows[0]?.is_old === 1;
}
