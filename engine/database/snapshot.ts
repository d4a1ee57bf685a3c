import { type Kysely, sql } from 'kysely';
import type { Position } from '../domain/position.ts';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** MariaDB as it was at one instant: whatever commits meanwhile is not seen through `db`. */
export interface Snapshot {
  readonly db: Kysely<Schema>;
  /** How far MariaDB had the journal at that instant. */
  readonly checkpoint: Position;
}

/** Opens one consistent snapshot of MariaDB, as long as `work` takes, and lets it read from it. Nothing is locked. */
export async function withSnapshot<T>(
  database: Database,
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return await database.query.connection().execute(async (db) => {
    await sql`set transaction isolation level repeatable read`.execute(db);
    await sql`start transaction with consistent snapshot, read only`.execute(db);
    try {
      const checkpoint = await db
        .selectFrom('journal_checkpoint')
        .select(['epoch', 'sequence'])
        .where('id', '=', 1)
        .executeTakeFirstOrThrow();
      return await work({ db, checkpoint });
    } finally {
      await sql`rollback`.execute(db);
    }
  });
}
