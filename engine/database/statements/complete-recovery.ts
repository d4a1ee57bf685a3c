import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** Notes that the recovery that began `epoch` is over. */
export async function completeRecoveryRow(database: Database, epoch: number): Promise<void> {
  await database.query
    .updateTable('recoveries')
    .set({ completed_at: sql`utc_timestamp(3)` })
    .where('epoch', '=', epoch)
    .execute();
}
