import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

/** Runs `work` on one consistent snapshot of MariaDB, read only: whatever commits meanwhile is not seen. */
export async function inSnapshot<T>(
  database: Database,
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  return await database.query.connection().execute(async (db) => {
    await sql`set transaction isolation level repeatable read`.execute(db);
    await sql`start transaction with consistent snapshot, read only`.execute(db);
    try {
      return await work(db);
    } finally {
      await sql`rollback`.execute(db);
    }
  });
}
