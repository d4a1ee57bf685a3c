import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolConnection } from 'mariadb';

/**
 * Lets kysely speak through the `mariadb` connector: kysely's own MySQL dialect wants `mysql2`, and bulk inserts
 * want the connector's `batch`. SQL is MySQL's, so kysely's compiler, adapter and introspector serve as they are.
 */
export function createDialect(pool: Pool): Dialect {
  return {
    createAdapter: () => new MysqlAdapter(),
    createDriver: () => new MariaDbDriver(pool),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  };
}

class MariaDbDriver implements Driver {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<MariaDbConnection> {
    return new MariaDbConnection(await this.#pool.getConnection());
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('start transaction'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await (connection as MariaDbConnection).release();
  }

  /** The pool has other users; and kysely would not say so where it was never asked anything. */
  async destroy(): Promise<void> {}
}

class MariaDbConnection implements DatabaseConnection {
  readonly #connection: PoolConnection;

  constructor(connection: PoolConnection) {
    this.#connection = connection;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const result: unknown = await this.#connection.query(query.sql, [...query.parameters]);
    if (Array.isArray(result)) return { rows: result as Row[] };
    const { affectedRows = 0, insertId } = result as { affectedRows?: number; insertId?: number | bigint };
    const affected = BigInt(affectedRows);
    return insertId == null
      ? { numAffectedRows: affected, rows: [] }
      : { numAffectedRows: affected, insertId: BigInt(insertId), rows: [] };
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    const stream = this.#connection.queryStream(query.sql, [...query.parameters]);
    for await (const row of stream) yield { rows: [row as Row] };
  }

  release(): Promise<void> {
    return this.#connection.release();
  }
}
