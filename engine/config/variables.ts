import {
  MAX_HOLD_SECONDS,
  MAX_LINES_OF_CALL,
  MAX_LINES_OF_ORDER,
  MAX_ORDERS_OF_CALL,
} from '../domain/bounds.ts';

/** One environment variable: what it is for, what stands in for it when it is not set, how it is read. */
export interface Variable<Value> {
  readonly description: string;
  /** Absent = the variable is required. */
  readonly fallback?: string;
  /** Reads a text; throws an Error whose message ends the sentence "NAME is wrong: …". */
  read(text: string): Value;
}

const SECRET_BYTES = 32;

/** Every environment variable of the engine. `README.md` lists the same; a test keeps them equal. */
export const VARIABLES = {
  REDIS_URL: url(['redis:', 'rediss:'], 'Redis: redis://host:port'),
  DATABASE_URL: url(['mariadb:'], 'MariaDB: mariadb://user:password@host:port/database'),
  AMQP_URL: url(['amqp:', 'amqps:'], 'RabbitMQ: amqp://user:password@host:port'),
  HOST: text('address to listen on', '127.0.0.1'),
  PORT: integer({
    lowest: 0,
    highest: 65_535,
    fallback: 3_000,
    description: 'port to listen on; 0 = any free one',
  }),
  AUTH_SECRET: secret(),
  LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'how much is logged',
  ),
  REDIS_APPENDFSYNC: oneOf(
    ['always', 'everysec', 'no'],
    'always',
    'the fsync policy that Redis must have; anything but always gives up durability (P3) and is for measuring only',
  ),
  REDIS_REPLICAS: integer({
    lowest: 0,
    highest: 16,
    fallback: 0,
    description: 'replicas that must have an order before it is acknowledged (WAIT); 0 = none',
  }),
  REDIS_REPLICA_WAIT_MS: integer({
    lowest: 1,
    highest: 60_000,
    fallback: 1_000,
    description: 'how long replicas are waited for before the same call is sent again',
  }),
  BATCH_ORDERS: integer({
    lowest: 1,
    highest: MAX_ORDERS_OF_CALL,
    fallback: 256,
    description: 'orders decided in one Redis call at most',
  }),
  BATCH_LINES: integer({
    lowest: MAX_LINES_OF_ORDER,
    highest: MAX_LINES_OF_CALL,
    fallback: 3_840,
    description: 'lines decided in one Redis call at most',
  }),
  BATCH_LANES: integer({ lowest: 1, highest: 64, fallback: 2, description: 'Redis calls in flight at once' }),
  QUEUE_ORDERS: integer({
    lowest: 1,
    highest: 1_000_000,
    fallback: 10_000,
    description: 'orders that may wait for a call; one more is refused with 503',
  }),
  QUEUE_WAIT_MS: integer({
    lowest: 1,
    highest: 60_000,
    fallback: 2_000,
    description: 'how long an order may wait for its call before it is refused with 503',
  }),
  DECISION_DEADLINE_MS: integer({
    lowest: 10,
    highest: 60_000,
    fallback: 5_000,
    description: 'how long the outcome of a call is looked for before the answer is 504',
  }),
  HOLD_SECONDS: integer({
    lowest: 0,
    highest: MAX_HOLD_SECONDS,
    fallback: 0,
    description: 'how long an order is held unpaid before it expires; 0 = orders are placed at once',
  }),
  IDEMPOTENCY_HOURS: integer({
    lowest: 1,
    highest: 720,
    fallback: 24,
    description: 'how long an Idempotency-Key is remembered at least',
  }),
  JOURNAL_BYTES: integer({
    lowest: 0,
    highest: 10 ** 15 - 1,
    fallback: 0,
    description:
      "bytes of the journal that may wait for MariaDB; at the bound all that would write is refused with 503; 0 = half of Redis's memory",
  }),
  JOURNAL_ENTRIES: integer({
    lowest: 0,
    highest: 10 ** 15 - 1,
    fallback: 0,
    description: 'the same in journal entries; 0 = as many small ones as fit into the bytes',
  }),
  OUTBOX_DAYS: integer({
    lowest: 1,
    highest: 365,
    fallback: 7,
    description: 'days that what the world is to be told of waits for RabbitMQ before it is given up',
  }),
  STOCK_LOW_UNITS: integer({
    lowest: 0,
    highest: 1_000_000_000,
    fallback: 10,
    description: 'units of a product in a pool at which stock.low is published; 0 = never',
  }),
  METRICS_HOST: text(
    'address on which the writer and the scheduler answer /metrics and /readyz',
    '127.0.0.1',
  ),
  METRICS_PORT: integer({
    lowest: 0,
    highest: 65_535,
    fallback: 0,
    description: 'port on which the writer and the scheduler answer /metrics and /readyz; 0 = any free one',
  }),
  SCHEDULER_ROLES: someOf(
    ['announce', 'consume', 'publish'],
    'what a scheduler does: announce when sale events open and close, consume messages (open and close them, give stock back), publish what happened; separated by commas',
  ),
  WRITER_ENTRIES: integer({
    lowest: 1,
    highest: 10_000,
    fallback: 4_096,
    description: 'journal entries applied to MariaDB in one transaction at most',
  }),
  // Three: a recovery holds its lock on one and reads from a second, beside whoever works.
  DATABASE_CONNECTIONS: integer({
    lowest: 3,
    highest: 1_000,
    fallback: 8,
    description: 'connections to MariaDB of one process at most',
  }),
};

function text(description: string, fallback: string): Variable<string> {
  return { description, fallback, read: (value) => value };
}

function url(protocols: string[], description: string): Variable<string> {
  const expected = `expected a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`;
  return {
    description,
    read(value) {
      if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) throw new Error(expected);
      return value;
    },
  };
}

interface IntegerBounds {
  readonly lowest: number;
  readonly highest: number;
  readonly fallback: number;
  readonly description: string;
}

function integer({ lowest, highest, fallback, description }: IntegerBounds): Variable<number> {
  return {
    description,
    fallback: String(fallback),
    read(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= lowest && number <= highest) return number;
      throw new Error(`"${value}" is not a whole number from ${lowest} to ${highest}`);
    },
  };
}

function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  fallback: Choice,
  description: string,
): Variable<Choice> {
  return {
    description,
    fallback,
    read(value) {
      const choice = choices.find((name) => name === value);
      if (choice) return choice;
      throw new Error(`"${value}" is none of ${choices.join(', ')}`);
    },
  };
}

/** A list of different choices, separated by commas; all of them unless said otherwise. */
function someOf<const Choice extends string>(
  choices: readonly Choice[],
  description: string,
): Variable<ReadonlySet<Choice>> {
  return {
    description,
    fallback: choices.join(),
    read(value) {
      const names = value.split(',').map((name) => name.trim());
      const stranger = names.find((name) => !choices.some((choice) => choice === name));
      if (stranger === undefined) return new Set(names as Choice[]);
      throw new Error(`"${stranger}" is none of ${choices.join(', ')}`);
    },
  };
}

function secret(): Variable<string> {
  return {
    description: `signs and checks tokens (HS256), at least ${SECRET_BYTES} bytes`,
    read(value) {
      const bytes = Buffer.byteLength(value);
      if (bytes >= SECRET_BYTES) return value;
      throw new Error(
        `it has ${bytes} bytes, at least ${SECRET_BYTES} are needed (for example: openssl rand -hex 32)`,
      );
    },
  };
}
