import type { Position } from '../../domain/position.ts';
import type { Transaction } from '../database.ts';

const SQL = `select id, opened_epoch as epoch, opened_sequence as sequence from sale_events
  where id in (?) and opened_epoch is not null`;

/** The journal entry that last opened each of these sale events, by id; those that never were open are left out. */
export async function readOpenings(
  transaction: Transaction,
  ids: readonly string[],
): Promise<Map<string, Position>> {
  if (ids.length === 0) return new Map();
  const rows = (await transaction.query(SQL, [ids])) as ({ id: string } & Position)[];
  return new Map(rows.map(({ id, epoch, sequence }) => [id, { epoch, sequence }]));
}
