import { within } from '../runtime/deadline.ts';
import type { Database } from './database.ts';

/** A statement that nothing depends on. */
export interface ImpatientStatement {
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly withinMs: number;
}

/**
 * Runs a statement, and gives its connection up when there is no answer in time: a MariaDB that is stopped, or behind a cut
 * network, would keep it for ever. Rejects then, and as the connector does.
 */
export async function queryImpatiently(database: Database, statement: ImpatientStatement): Promise<unknown> {
  const connection = await database.pool.getConnection();
  try {
    const result = await within(statement.withinMs, connection.query(statement.sql, [...statement.values]));
    await connection.release();
    return result;
  } catch (error) {
    // Never released: the connector leaves the statement of a destroyed connection unsettled, and a release would wait for it.
    connection.destroy();
    throw error;
  }
}
