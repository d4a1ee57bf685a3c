import { createPool, type Pool, type PoolConfig, SqlError } from 'mariadb';

/** What the connector says when its pool has none to give: MariaDB is away, or hangs. */
const NO_CONNECTION = 45_028;

/** No connection to MariaDB was to be had; `message` says to which, and what to look at. */
export class NoConnection extends Error {
  override readonly name = 'NoConnection';
  readonly code = 'ER_GET_CONNECTION_TIMEOUT';
}

/** A pool of the connector whose refusals say which server they are about, in one line. */
export function createNamedPool(config: PoolConfig): Pool {
  const pool = createPool(config);
  const getConnection = pool.getConnection.bind(pool);
  const where = `MariaDB at ${config.host}:${config.port}`;
  pool.getConnection = async () => {
    try {
      return await getConnection();
    } catch (error) {
      if (!(error instanceof SqlError) || error.errno !== NO_CONNECTION) throw error;
      const why = error.cause instanceof Error ? `: ${error.cause.message.split('\n')[0]}` : '';
      throw new NoConnection(
        `${where} gives no connection${why}; is it running, does it hang, is every connection in use?`,
        {
          cause: error,
        },
      );
    }
  };
  return pool;
}
