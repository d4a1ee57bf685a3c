import { Kysely } from 'kysely';
import type { Pool, PoolConnection } from 'mariadb';
import { createDialect } from './dialect.ts';
import { createNamedPool } from './named-pool.ts';
import type { Schema } from './schema.ts';

/** A connection inside a transaction, for statements that go through the connector's `batch`. */
export type Transaction = PoolConnection;

/** MariaDB: `query` for single statements in kysely, `transaction` for bulk work. */
export interface Database {
  readonly query: Kysely<Schema>;
  readonly pool: Pool;
  /** Runs `work` in one transaction: commits what it resolves with, rolls back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects lazily to `url` (mariadb://user:password@host:port/database) with at most `connections` connections.
 * Times are UTC on the wire and in the tables; whole numbers up to 2^53 - 1 come back as numbers, above it the
 * connector throws rather than rounds. `session` is what each connection is set to.
 */
export function connectDatabase(url: string, connections: number, session?: SessionSettings): Database {
  const pool = createNamedPool({ ...parseUrl(url), ...SETTINGS, ...session, connectionLimit: connections });
  const query = new Kysely<Schema>({ dialect: createDialect(pool) });
  return {
    query,
    pool,
    transaction: (work) => runTransaction(pool, work),
    async close() {
      await query.destroy();
      await pool.end();
    },
  };
}

/** What connections are set to beyond what all have in common. */
export interface SessionSettings {
  /** Statements that each new connection begins with. */
  readonly initSql: string[];
  /** How long a statement may go without a byte from MariaDB before its connection is given up, in ms. */
  readonly socketTimeout: number;
}

/**
 * For connections that write journal entries. A process that is stopped in the middle of a transaction must not hold
 * its locks for long, nor one of ours wait long for those of others; and values that do not fit are refused, never cut, whatever
 * MariaDB's own mode is.
 */
export const WRITING_SESSION: SessionSettings = {
  initSql: [
    'set session innodb_lock_wait_timeout = 5, lock_wait_timeout = 5',
    'set session idle_transaction_timeout = 5, idle_write_transaction_timeout = 5',
    "set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
  ],
  socketTimeout: 30_000,
};

const SETTINGS = {
  timezone: 'Z',
  charset: 'utf8mb4',
  bigIntAsNumber: true,
  insertIdAsNumber: true,
  checkNumberRange: true,
  acquireTimeout: 5_000,
  connectTimeout: 3_000,
  initializationTimeout: 3_000,
  minDelayValidation: 500,
};

function parseUrl(url: string) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

async function runTransaction<T>(pool: Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const result = await work(connection);
    await connection.commit();
    return result;
  } catch (error) {
    // A connection that is gone has rolled back by itself; its own error says more than the roll-back's.
    await connection.rollback().catch(() => undefined);
    throw error;
  } finally {
    await connection.release();
  }
}
