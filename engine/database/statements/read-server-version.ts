import { sql } from 'kysely';
import type { Database } from '../database.ts';

/** The version of MariaDB, as it calls it itself. */
export async function readServerVersion(database: Database): Promise<string> {
  const { rows } = await sql<{ version: string }>`select version() as version`.execute(database.query);
  return rows[0]!.version;
}
