import { mariadbUrl, startMariaDB } from './mariadb.ts';
import { accepts } from './probes.ts';
import { rabbitmqUrl, startRabbitMQ } from './rabbitmq.ts';
import { redisUrl, startRedis } from './redis.ts';
import type { RunningServer, ServerOptions } from './running-server.ts';
import { StackError } from './stack-error.ts';

/** One of the servers a stack stands on. */
export interface ServerKind {
  /** When this variable is set, that server is used and none is started. */
  variable: 'REDIS_URL' | 'DATABASE_URL' | 'AMQP_URL';
  usualPort: number;
  start: (options: ServerOptions) => Promise<RunningServer>;
  /** Its address, known before it runs. */
  urlOf: (dataDirectory: string, port: number) => string;
}

/** The servers by the names that `stack.json` and the folders use. */
export const SERVER_KINDS = {
  redis: {
    variable: 'REDIS_URL',
    usualPort: 6379,
    start: startRedis,
    urlOf: (_dataDirectory: string, port: number) => redisUrl(port),
  },
  mariadb: { variable: 'DATABASE_URL', usualPort: 3306, start: startMariaDB, urlOf: mariadbUrl },
  rabbitmq: { variable: 'AMQP_URL', usualPort: 5672, start: startRabbitMQ, urlOf: rabbitmqUrl },
} satisfies Record<string, ServerKind>;

/** `redis`, `mariadb` or `rabbitmq`. */
export type ServerName = keyof typeof SERVER_KINDS;

/**
 * Makes sure that something listens where a variable points to.
 *
 * @throws StackError naming the variable, host and port, never the password
 */
export async function requireOutsideServer(kind: ServerKind, url: string): Promise<void> {
  if (!URL.canParse(url)) throw new StackError(`${kind.variable} is not a URL`);
  const { hostname, port } = new URL(url);
  const address = { host: hostname || '127.0.0.1', port: Number(port) || kind.usualPort };
  if (await accepts(address)) return;
  throw new StackError(
    `${kind.variable} is set, but nothing answers at ${address.host}:${address.port}; ` +
      'start that server, or unset the variable to have a private one',
  );
}
