import { type Migration, Migrator } from 'kysely';
import type { Database } from './database.ts';
import * as firstTables from './migrations/0001-first-tables.ts';
import * as idempotency from './migrations/0002-idempotency.ts';
import * as saleEvents from './migrations/0003-sale-events.ts';
import * as writeBehind from './migrations/0004-write-behind.ts';
import * as scheduledEvents from './migrations/0005-scheduled-events.ts';

const MIGRATIONS: Record<string, Migration> = {
  '0001-first-tables': firstTables,
  '0002-idempotency': idempotency,
  '0003-sale-events': saleEvents,
  '0004-write-behind': writeBehind,
  '0005-scheduled-events': scheduledEvents,
};

/**
 * Brings the schema up to date and resolves to the names of the migrations that were carried out now. Several
 * callers at once are safe: kysely's migrator holds a lock. Throws what MariaDB says when a migration fails.
 */
export async function migrate(database: Database): Promise<string[]> {
  const provider = { getMigrations: async () => MIGRATIONS };
  const { error, results } = await new Migrator({ db: database.query, provider }).migrateToLatest();
  if (error) throw error;
  return (results ?? []).map(({ migrationName }) => migrationName);
}
