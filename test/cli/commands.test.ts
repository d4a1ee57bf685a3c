import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { call } from '../fixtures/http.ts';
import { runCommand, startApi } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';

const redis = useRedis();
const database = useDatabase();
let directory = '';

/** `--data` of a folder in which no local stack runs, so that nothing stands in for what is not set. */
const run = (words: string[], environment: NodeJS.ProcessEnv = {}) =>
  runCommand([...words, '--data', directory], {
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    ...environment,
  });

function catalogue(content: string): string {
  const file = join(directory, 'catalogue.csv');
  writeFileSync(file, content);
  return file;
}

const GOOD = 'sku,name,price,stock\ntea,Green tea,300,5\n한,"찻잔, 큰",1200,\ncup,Cup,1,0\n';

async function dataInRedis() {
  const { levels, prices, catalogue: details, journal } = KEYS;
  const [journalLength, ...hashes] = await Promise.all([
    redis.client.xlen(journal),
    ...[levels, prices, details].map((key) => redis.client.hgetall(key)),
  ]);
  return { journalLength, hashes };
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-cli-'));
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  const sides = { redis: redis.client, database: database.database, clock: systemClock };
  expect((await reconcile(sides)).drifts).toEqual([]);
});

describe('migrate', () => {
  test('twice, and twice at once, does it once', async () => {
    const { rows } = await sql<Record<string, string>>`show tables`.execute(database.database.query);
    expect(rows.length).toBeGreaterThan(0);
    for (const table of rows.flatMap((row) => Object.values(row)))
      await sql.raw(`drop table ${table}`).execute(database.database.query);
    const both = await Promise.all([run(['migrate']), run(['migrate'])]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ stdout }) => stdout.trim()).sort()).toEqual([
      expect.stringMatching(/^migrated: 0001-first-tables/),
      'the schema is up to date',
    ]);
    expect(await run(['migrate'])).toEqual({ code: 0, stdout: 'the schema is up to date\n', stderr: '' });
  });
});

describe('import', () => {
  test('a bad file is refused with its lines and exit code 1, and changes nothing', async () => {
    const before = await dataInRedis();
    const { code, stdout, stderr } = await run([
      'import',
      catalogue(`${GOOD}tea,again,1,1\nbad,Bad,1e3,1\n`),
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /line 5: sku "tea" is on line 2 already\n.*line 6: price "1e3" is not a whole number/,
    );
    expect(await dataInRedis()).toEqual(before);
  });

  test('P4: a second run changes nothing; a changed row changes the product but never its stock', async () => {
    const first = await run(['import', catalogue(GOOD), '--stock', '7']);
    expect(first).toEqual({ code: 0, stdout: '3 created, 0 changed, 0 unchanged\n', stderr: '' });
    expect(await redis.client.hgetall(KEYS.levels)).toEqual({ tea: '5', 한: '7', cup: '0' });

    const before = await dataInRedis();
    expect((await run(['import', catalogue(GOOD), '--stock', '9'])).stdout).toBe(
      '0 created, 0 changed, 3 unchanged\n',
    );
    expect(await dataInRedis()).toEqual(before);

    const changed = GOOD.replace('300,5', '350,99');
    expect((await run(['import', catalogue(changed)])).stdout).toBe('0 created, 1 changed, 2 unchanged\n');
    expect(await redis.client.hgetall(KEYS.levels)).toEqual({ tea: '5', 한: '7', cup: '0' });
    expect(await redis.client.hget(KEYS.prices, 'tea')).toBe('350');
  });

  test('more products than fit one call', async () => {
    const rows = Array.from({ length: 2_500 }, (_, at) => `many-${at},Product ${at},${at},1\n`);
    const { stdout } = await run(['import', catalogue(`sku,name,price,stock\n${rows.join('')}`)]);
    expect(stdout).toBe('2500 created, 0 changed, 0 unchanged\n');
  });

  test.each(['1.5', '1000000000001'])('--stock "%s" is refused', async (stock) => {
    const { code, stderr } = await run(['import', catalogue(GOOD), '--stock', stock]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('expected a whole number')]);
  });

  test('a file that is not there: exit code 1, its name', async () => {
    const { code, stderr } = await run(['import', join(directory, 'nothing.csv')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('nothing.csv')]);
  });
});

describe('stock show', () => {
  test('prints a line a product, whatever its name', async () => {
    expect(await run(['stock', 'show', 'tea', '한'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^SKU +POOL +AVAILABLE\ntea +regular +5\n한 +regular +7\n$/),
    });
  });

  test('an unknown SKU: the known ones all the same, its name, exit code 1', async () => {
    const { code, stdout, stderr } = await run(['stock', 'show', 'tea', 'nothing']);
    expect(code).toBe(1);
    expect(stdout).toContain('tea');
    expect(stderr).toBe('bootakhae: unknown: nothing\n');
  });
});

describe('stock adjust', () => {
  const adjust = (...words: string[]) => run(['stock', 'adjust', ...words]);

  test('takes units away and adds some, with or without a sign, and prints what is available', async () => {
    expect(await adjust('tea', '-5', '--reason', 'broke')).toEqual({
      code: 0,
      stdout: 'tea: 0 available now\n',
      stderr: '',
    });
    expect((await adjust('--reason', '-3 was too many', 'tea', '+3')).stdout).toBe('tea: 3 available now\n');
    expect((await adjust('tea', '2', '--reason', '다시 셈')).stdout).toBe('tea: 5 available now\n');
    expect(await redis.client.hget(KEYS.levels, 'tea')).toBe('5');
  });

  test('P4: the same --id again changes nothing and says so; for something else it is refused', async () => {
    const words = ['한', '-2', '--reason', 'broke', '--id', 'once'];
    expect((await adjust(...words)).stdout).toBe('한: 5 available now\n');
    await adjust('한', '4', '--reason', 'found');
    const before = await dataInRedis();
    expect(await adjust(...words)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^한: nothing changed, .*--id.*; 5 were available after it\n$/),
      stderr: '',
    });
    const others = [
      ['한', '-1', '--reason', 'broke', '--id', 'once'],
      ['한', '-2', '--reason', 'lost', '--id', 'once'],
      ['tea', '-2', '--reason', 'broke', '--id', 'once'],
    ];
    for (const other of others) {
      const { code, stdout, stderr } = await adjust(...other);
      expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('used for another adjustment')]);
    }
    expect(await dataInRedis()).toEqual(before);
  });

  test.each([
    ['an unknown SKU', ['nothing', '1'], 'bootakhae: unknown: nothing'],
    ['below zero', ['tea', '-6'], 'bootakhae: tea: 5 available, 6 cannot be taken away: nothing changed'],
    ['past what a level holds', ['tea', '1000000000000'], 'bootakhae: tea: 5 available, that many more'],
    ['nothing to add', ['tea', '0'], 'expected a whole number other than 0'],
    ['no digits alone', ['tea', '1e3'], 'expected a whole number other than 0'],
    ['half a unit', ['tea', '-1.5'], 'expected a whole number other than 0'],
    ['too many', ['tea', '-1000000000001'], 'expected a whole number other than 0'],
    ['no number', ['tea', 'five'], 'expected a whole number other than 0'],
    ['a blank reason', ['tea', '1', '--reason', ' '], 'expected 1 to 255 characters'],
    ['an id with a space', ['tea', '1', '--id', 'a b'], 'expected 1 to 255 visible ASCII characters'],
  ])('%s: one line, exit code 1, and nothing changes', async (_, words, line) => {
    const before = await dataInRedis();
    const { code, stdout, stderr } = await adjust('--reason', 'test', ...words);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(line);
    expect(await dataInRedis()).toEqual(before);
  });

  test('without a reason it is refused', async () => {
    const { code, stderr } = await adjust('tea', '1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('--reason')]);
  });
});

describe('token', () => {
  test('prints a token that the api accepts for its user, its role and its time', async () => {
    const api = await startApi({ REDIS_URL: redis.url, DATABASE_URL: database.url });
    onTestFinished(() => {
      api.child.kill('SIGKILL');
    });
    const tokenOf = async (...words: string[]) => {
      const { code, stdout } = await run(['token', ...words]);
      expect(code).toBe(0);
      return stdout.trim();
    };
    const statusOf = async (token: string, method: string) =>
      (
        await call(`${api.url}/api/v1/${method === 'PUT' ? 'products/tea' : 'wishlist'}`, {
          method,
          token,
          body: {},
        })
      ).status;

    const customer = await tokenOf('--sub', '미나');
    expect(await statusOf(customer, 'GET')).toBe(200);
    expect(await statusOf(customer, 'PUT')).toBe(403);
    expect(await statusOf(await tokenOf('--sub', 'ops', '--role', 'operator'), 'PUT')).toBe(400);

    const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    const { sub, role, iat, exp } = claimsOf(await tokenOf('--sub', '미나', '--ttl', '30m'));
    expect({ sub, role, seconds: exp - iat }).toEqual({ sub: '미나', role: 'customer', seconds: 1_800 });
    expect(claimsOf(customer).exp - claimsOf(customer).iat).toBe(3_600);
    expect(await api.stop()).toBe(0);
  });

  test.each([
    [['--sub', '']],
    [['--sub', 'mina', '--ttl', '0s']],
    [['--sub', 'mina', '--ttl', '1.5h']],
    [['--sub', 'mina', '--role', 'admin']],
    [[]],
  ])('%j is refused, and no token printed', async (words) => {
    const { code, stdout, stderr } = await run(['token', ...words]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/--(sub|ttl|role)/);
  });
});

describe('a variable that is missing or wrong: one line that names it, exit code 1', () => {
  test.each([
    [['api'], { REDIS_URL: '' }, 'REDIS_URL'],
    [['api'], { AUTH_SECRET: 'too short' }, 'AUTH_SECRET'],
    [['api'], { PORT: '65536' }, 'PORT'],
    [['api'], { HOST: '203.0.113.1', PORT: '0' }, 'HOST'],
    [['writer'], { WRITER_ENTRIES: '0' }, 'WRITER_ENTRIES'],
    [['scheduler'], { AMQP_URL: '' }, 'AMQP_URL'],
    [['scheduler'], { AMQP_URL: 'amqp://127.0.0.1:1', SCHEDULER_ROLES: 'announce,sell' }, 'SCHEDULER_ROLES'],
    [['migrate'], { DATABASE_URL: '' }, 'DATABASE_URL'],
    [['stock', 'show', 'tea'], { REDIS_URL: '' }, 'REDIS_URL'],
    [['token', '--sub', 'mina'], { AUTH_SECRET: '' }, 'AUTH_SECRET'],
  ])('%j with %j', async (words, environment, name) => {
    const isProcess = ['api', 'writer', 'scheduler'].includes(words[0]!);
    const servers = { REDIS_URL: redis.url, DATABASE_URL: database.url };
    const { code, stderr } = await (isProcess
      ? runCommand(words, { ...servers, ...environment })
      : run(words, environment));
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(name)]);
  });
});
