import { beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/fixtures/servers.ts';
import { codeOf, describeError, isRefusedContent } from './refusal.ts';

const maria = useDatabase();

beforeAll(async () => {
  await maria.database.pool.query(
    'create table small (a tinyint not null primary key, b char(2), check (a < 50))',
  );
  await maria.database.pool.query("insert into small values (1, 'x')");
});

async function errorOf(sql: string, values: unknown[][] = []): Promise<unknown> {
  const { pool } = maria.database;
  const done = values.length > 0 ? pool.batch(sql, values) : pool.query(sql);
  return await done.then(
    () => {
      throw new Error(`taken: ${sql}`);
    },
    (error: unknown) => error,
  );
}

const INSERT = 'insert into small values (?, ?)';

describe('P5: what MariaDB refuses for good, and what may pass', () => {
  test.each([
    ['a key that is there', [1, 'y'], 'ER_DUP_ENTRY'],
    ['out of range', [1_000, 'y'], 'ER_WARN_DATA_OUT_OF_RANGE'],
    ['too long', [2, 'yyy'], 'ER_DATA_TOO_LONG'],
    ['against a CHECK', [60, 'y'], 'ER_CONSTRAINT_FAILED'],
    ['nothing where something must be', [null, 'y'], 'ER_BAD_NULL_ERROR'],
    ['no number', ['x', 'y'], /TRUNCATED/],
  ])('%s is refused, in a bulk insert as well', async (_, row, code) => {
    const error = await errorOf(INSERT, [[3, 'ok'], row]);
    expect([isRefusedContent(error), codeOf(error)]).toEqual([true, expect.stringMatching(code)]);
    expect(describeError(error)).toMatch(/\(insert into small\)$/);
    await maria.database.pool.query('delete from small where a = 3');
  });

  test.each([
    ['a table that is missing', 'insert into nowhere values (1)', 'ER_NO_SUCH_TABLE'],
    ['a column that is missing', 'update small set c = 1', 'ER_BAD_FIELD_ERROR'],
    ['a statement that is wrong', 'select from', 'ER_PARSE_ERROR'],
    ['a statement that was killed', 'set statement max_statement_time = 0.05 for select sleep(5)', /.+/],
  ])('%s is not', async (_, sql, code) => {
    const error = await errorOf(sql);
    expect([isRefusedContent(error), codeOf(error)]).toEqual([false, expect.stringMatching(code)]);
  });

  test('a connection that is lost is not', async () => {
    const { pool } = maria.database;
    const connection = await pool.getConnection();
    const sleeping = connection.query('select sleep(30)').catch((error: unknown) => error);
    await pool.query(`kill ${connection.threadId}`);
    expect(isRefusedContent(await sleeping)).toBe(false);
    await connection.release().catch(() => undefined);
  });
});
