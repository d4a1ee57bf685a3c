import type { Position } from '../../domain/position.ts';
import type { Database } from '../database.ts';

const NOTE_CHARACTERS = 255;
const SQL = "update dead_letters set note = ? where epoch = ? and sequence = ? and status = 'waiting'";

/** Notes why an entry that is waiting could not be replayed; a long note is cut. */
export async function noteDeadLetter(
  { pool }: Database,
  { epoch, sequence }: Position,
  note: string,
): Promise<void> {
  await pool.query(SQL, [[...note].slice(0, NOTE_CHARACTERS).join(''), epoch, sequence]);
}
