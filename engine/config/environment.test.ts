import { describe, expect, test } from 'vitest';
import { ConfigError, describeVariables, readConfig, type VariableName } from './environment.ts';
import { VARIABLES } from './variables.ts';

const NAMES = Object.keys(VARIABLES) as VariableName[];
const SECRET = 'x'.repeat(32);

/** For each variable: what it takes with what that reads as, and what it does not take. */
const EXAMPLES: Record<
  VariableName,
  { good: readonly (readonly [string, unknown])[]; wrong: readonly string[] }
> = {
  REDIS_URL: {
    good: ['redis://127.0.0.1:6379', 'rediss://a:b@host/1'].map((url) => [url, url]),
    wrong: ['127.0.0.1:6379', 'http://host', 'redis', 'mariadb://host'],
  },
  DATABASE_URL: {
    good: [['mariadb://u:p@host:3306/name', 'mariadb://u:p@host:3306/name']],
    wrong: ['mysql://host/name', 'host', 'mariadb'],
  },
  AMQP_URL: {
    good: ['amqp://guest:guest@host', 'amqps://host'].map((url) => [url, url]),
    wrong: ['http://host', 'host:5672'],
  },
  HOST: { good: [['0.0.0.0', '0.0.0.0']], wrong: [] },
  PORT: {
    good: [
      ['0', 0],
      ['65535', 65_535],
    ],
    wrong: ['-1', '65536', '80a', '0x50', '8e1', ' 80', '80.0'],
  },
  AUTH_SECRET: {
    good: [
      [SECRET, SECRET],
      ['한'.repeat(11), '한'.repeat(11)],
    ],
    wrong: ['x'.repeat(31), '한'.repeat(10)],
  },
  LOG_LEVEL: {
    good: [
      ['debug', 'debug'],
      ['silent', 'silent'],
    ],
    wrong: ['DEBUG', 'loud', 'constructor'],
  },
  SCHEDULER_ROLES: {
    good: [
      ['announce,consume,publish', new Set(['announce', 'consume', 'publish'])],
      ['consume', new Set(['consume'])],
      ['publish, announce', new Set(['announce', 'publish'])],
    ],
    wrong: ['Announce', 'announce,', 'announce;consume', 'all', ','],
  },
  REDIS_APPENDFSYNC: {
    good: [
      ['everysec', 'everysec'],
      ['no', 'no'],
    ],
    wrong: ['Always', 'never'],
  },
  REDIS_REPLICAS: {
    good: [
      ['0', 0],
      ['16', 16],
    ],
    wrong: ['-1', '17', 'one'],
  },
  REDIS_REPLICA_WAIT_MS: {
    good: [
      ['1', 1],
      ['60000', 60_000],
    ],
    wrong: ['0', '60001'],
  },
  BATCH_ORDERS: {
    good: [
      ['1', 1],
      ['1024', 1_024],
    ],
    wrong: ['0', '1025', '1e2', '2.5'],
  },
  BATCH_LINES: {
    good: [
      ['1000', 1_000],
      ['3900', 3_900],
    ],
    wrong: ['999', '3901'],
  },
  BATCH_LANES: {
    good: [
      ['1', 1],
      ['64', 64],
    ],
    wrong: ['0', '65'],
  },
  QUEUE_ORDERS: {
    good: [
      ['1', 1],
      ['1000000', 1_000_000],
    ],
    wrong: ['0', '1000001', 'Infinity'],
  },
  QUEUE_WAIT_MS: {
    good: [
      ['1', 1],
      ['60000', 60_000],
    ],
    wrong: ['0', '60001', '2s'],
  },
  HOLD_SECONDS: {
    good: [
      ['0', 0],
      ['31536000', 31_536_000],
    ],
    wrong: ['-1', '31536001'],
  },
  IDEMPOTENCY_HOURS: {
    good: [
      ['1', 1],
      ['720', 720],
    ],
    wrong: ['0', '721', '1.5'],
  },
  DECISION_DEADLINE_MS: {
    good: [
      ['10', 10],
      ['60000', 60_000],
    ],
    wrong: ['9', '60001'],
  },
  JOURNAL_BYTES: {
    good: [
      ['0', 0],
      ['1000000000', 1_000_000_000],
    ],
    wrong: ['-1', '1e9', '1000000000000000'],
  },
  JOURNAL_ENTRIES: {
    good: [
      ['0', 0],
      ['1000000', 1_000_000],
    ],
    wrong: ['-1', '1e6', '1000000000000000'],
  },
  OUTBOX_DAYS: {
    good: [
      ['1', 1],
      ['365', 365],
    ],
    wrong: ['0', '366', '1.5', 'a week'],
  },
  STOCK_LOW_UNITS: {
    good: [
      ['0', 0],
      ['1000000000', 1_000_000_000],
    ],
    wrong: ['-1', '1000000001', '2.5', 'few'],
  },
  METRICS_HOST: { good: [['0.0.0.0', '0.0.0.0']], wrong: [] },
  METRICS_PORT: {
    good: [
      ['0', 0],
      ['65535', 65_535],
    ],
    wrong: ['-1', '65536'],
  },
  WRITER_ENTRIES: {
    good: [
      ['1', 1],
      ['10000', 10_000],
    ],
    wrong: ['0', '10001'],
  },
  DATABASE_CONNECTIONS: {
    good: [
      ['3', 3],
      ['1000', 1_000],
    ],
    wrong: ['2', '1001'],
  },
};

function refusal(environment: NodeJS.ProcessEnv, name: VariableName): string {
  try {
    readConfig(environment, [name]);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error(`${name} was taken: ${environment[name]}`);
}

test('there are examples of every variable', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual([...NAMES].sort());
});

describe.each(NAMES)('%s', (name) => {
  const { good, wrong } = EXAMPLES[name];
  const fallback: string | undefined = VARIABLES[name].fallback;

  test('is read where it is in range', () => {
    for (const [text, value] of good) expect(readConfig({ [name]: text }, [name])).toEqual({ [name]: value });
  });

  test('wrong, is refused in one line that names it', () => {
    for (const text of wrong)
      expect(refusal({ [name]: text }, name)).toMatch(new RegExp(`^${name} is wrong: .+$`));
  });

  test.each([undefined, ''])('not set (%j), falls back, or is refused in one line that names it', (text) => {
    const environment = text === undefined ? {} : { [name]: text };
    if (fallback === undefined)
      expect(refusal(environment, name)).toMatch(new RegExp(`^${name} is not set \\(.+\\)$`));
    else expect(readConfig(environment, [name])).toEqual(readConfig({ [name]: fallback }, [name]));
  });
});

test('a secret that is refused is not told', () => {
  expect(refusal({ AUTH_SECRET: 'hunter2' }, 'AUTH_SECRET')).not.toContain('hunter2');
});

test('what was read cannot be changed, and holds nothing that was not asked for', () => {
  const config = readConfig({ PORT: '80', HOST: 'a', REDIS_URL: 'wrong' }, ['PORT', 'HOST']);
  expect(config).toEqual({ PORT: 80, HOST: 'a' });
  expect(Object.isFrozen(config)).toBe(true);
});

test('the help names each variable with what stands in for it', () => {
  const lines = describeVariables(NAMES).split('\n');
  expect(lines).toHaveLength(NAMES.length);
  NAMES.forEach((name, at) => {
    expect(lines[at]).toContain(name);
    expect(lines[at]).toContain(`(${VARIABLES[name].fallback ?? 'required'})`);
  });
});
