import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatOrderId } from '../../engine/domain/order-id.ts';
import { countEntries } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { tokenFor } from '../fixtures/http.ts';
import { runCommand, type StartedProcess } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
const PATIENCE = { timeout: 30_000 };
let directory = '';
let writer: StartedProcess;

const run = (...words: string[]) =>
  runCommand(['dead-letters', ...words, '--data', directory], api.environment);
const untilDrained = () => vi.waitUntil(async () => (await countEntries(api.redis)) === 0, PATIENCE);
const list = async (...words: string[]) => JSON.parse((await run('list', '--json', ...words)).stdout);
const query = (sql: string, values: unknown[] = []) => api.database.pool.query(sql, values);

/** The id of the journal's last entry. */
async function lastId(): Promise<string> {
  const info = (await api.redis.xinfo('STREAM', KEYS.journal)) as unknown[];
  return String(info[info.indexOf('last-generated-id') + 1]);
}

/** Places an order that MariaDB refuses: its id is taken there until `clear` is called. */
async function orderInTheWay(user: string, quantity: number) {
  const [epoch, sequence] = (await lastId()).split('-').map(Number) as [number, number];
  const id = formatOrderId({ epoch, sequence: sequence + 1, index: 0 });
  await query("insert into orders values (?, 'x', 'placed', 1, utc_timestamp(3), null, null)", [id]);
  const answer = await api.order(user, [{ sku: 'tea', quantity }]);
  expect([answer.status, answer.body.id]).toEqual([201, id]);
  const entry = `${epoch}-${sequence + 1}`;
  await untilDrained();
  return { id, entry, clear: () => query('delete from orders where id = ?', [id]) };
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-dead-letters-'));
  await api.put('tea', { stock: 1_000, price: 300 });
  writer = api.start(['writer']);
  await untilDrained();
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  expect(await writer?.stop()).toBe(0);
});

beforeEach(async () => {
  await query('delete from dead_letters');
});

describe('list and show', () => {
  test('nothing is there', async () => {
    expect(await run('list')).toEqual({ code: 0, stdout: 'no dead letters\n', stderr: '' });
    expect(await run('show', '1-999')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'bootakhae: there is no dead letter 1-999\n',
    });
  });

  test('what was refused, why, and the whole of it', async () => {
    const { id, entry, clear } = await orderInTheWay('mina', 2);
    expect(await list()).toEqual([
      expect.objectContaining({
        id: entry,
        kind: 'orders',
        code: 'ER_DUP_ENTRY',
        status: 'waiting',
        note: null,
      }),
    ]);
    const { code, stdout } = await run('list');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^ID .*\n\d+-\d+ +orders +waiting .* Duplicate entry/),
    ]);
    const shown = JSON.parse((await run('show', entry)).stdout);
    expect(shown).toMatchObject({
      id: entry,
      fault: null,
      entry: { orders: [{ userId: 'mina', order: { id } }] },
    });
    await clear();
    expect((await run('replay', '--all')).code).toBe(0);
  });
});

describe('replay', () => {
  test('P4: an order is applied late, once, however often it is asked for', async () => {
    const { id, entry, clear } = await orderInTheWay('jun', 3);
    const before = await query('select available from stock_levels');
    const refused = await run('replay', entry);
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringMatching(/refused: Duplicate entry/)]);
    expect((await list())[0].note).toMatch(/^replay refused: Duplicate entry/);
    expect(await query('select available from stock_levels')).toEqual(before);

    await clear();
    const both = await Promise.all([run('replay', entry), run('replay', '--all')]);
    const outcomes = both.map(({ stdout }) => stdout.trim()).filter((line) => line.endsWith('replayed'));
    expect(outcomes).toEqual([`${entry}  replayed`]);
    expect((await run('replay', entry)).stdout).toBe(`${entry}  refused: it is replayed already\n`);
    expect(await list()).toEqual([]);
    expect(await list('--all')).toMatchObject([{ id: entry, status: 'replayed' }]);
    expect(await query('select user_id, status, total from orders where id = ?', [id])).toEqual([
      { user_id: 'jun', status: 'placed', total: 900 },
    ]);
    await api.expectConsistent();
  });

  test('P1: an order that waits is shown, cancelled once, and replayed before its cancellation', async () => {
    const { id, entry, clear } = await orderInTheWay('hana', 5);
    await clear();
    const token = tokenFor('hana');
    const stock = await api.stockOf('tea');
    expect((await api.call(`/api/v1/orders/${id}`, { token })).body).toMatchObject({ id, status: 'placed' });
    const cancel = () => api.call(`/api/v1/orders/${id}/cancel`, { method: 'POST', token });
    expect((await cancel()).body).toMatchObject({ status: 'cancelled' });
    await untilDrained();
    const cancellation = await lastId();
    expect((await list()).map((letter: { id: string }) => letter.id)).toEqual([entry, cancellation]);

    await cancel();
    expect((await api.call(`/api/v1/orders/${id}`, { token })).body).toMatchObject({ status: 'cancelled' });
    expect(await api.stockOf('tea')).toBe(stock + 5);

    const alone = await run('replay', cancellation);
    expect(alone.stdout).toContain(`the entry that placed it, ${entry}, must be replayed first`);
    expect(alone.code).toBe(1);
    expect(await run('replay', cancellation, entry)).toEqual({
      code: 0,
      stdout: `${entry}  replayed\n${cancellation}  replayed\n`,
      stderr: '',
    });
    await cancel();
    expect(await api.stockOf('tea')).toBe(stock + 5);
    await untilDrained();
    await api.expectConsistent();
  });

  test('P5: what was written since is not overwritten: price and wishlist as they are now', async () => {
    await query('alter table products add constraint in_the_way check (price <> 333)');
    await query('alter table wishlist_items add constraint in_the_way_too check (quantity <> 3)');
    await api.put('tea', { price: 333 });
    const token = tokenFor('mina');
    const wish = (quantity: number) =>
      api.call('/api/v1/wishlist/tea', { method: 'PUT', token, body: { quantity } });
    await wish(3);
    await untilDrained();
    await api.put('tea', { price: 444 });
    await wish(4);
    await untilDrained();
    expect((await list()).map(({ kind }: { kind: string }) => kind)).toEqual(['products', 'wishlists']);
    await query('alter table products drop constraint in_the_way');
    await query('alter table wishlist_items drop constraint in_the_way_too');
    expect((await run('replay', '--all')).code).toBe(0);
    expect(await query("select price from products where sku = 'tea'")).toEqual([{ price: 444 }]);
    expect(await query('select quantity from wishlist_items')).toEqual([{ quantity: 4 }]);
    await api.expectConsistent();
  });

  test('what cannot be read can only be dropped; a Redis that is behind is not believed', async () => {
    await api.redis.xadd(KEYS.journal, '1-*', 'entry', 'no message pack');
    await untilDrained();
    const entry = await lastId();
    expect((await run('replay', entry)).stdout).toMatch(/refused: journal entry \S+ is damaged/);
    expect(JSON.parse((await run('show', entry)).stdout)).toMatchObject({
      entry: null,
      fault: expect.stringContaining('damaged'),
      content: Buffer.from('no message pack').toString('base64'),
    });
    await api.redis.copy(KEYS.journal, 'kept');
    await api.redis.del(KEYS.journal);
    expect((await run('drop', entry, '--reason', 'r')).stdout).toMatch(/refused: Redis has lost data/);
    await api.redis.rename('kept', KEYS.journal);
    expect((await run('drop', entry, '--reason', 'nobody knows')).stdout).toBe(`${entry}  dropped\n`);
  });

  test.each([
    [['replay'], 'name the dead letters to replay, or say --all'],
    [['replay', '1'], 'is not a journal id'],
    [['drop', '1-1'], "required option '--reason"],
    [['drop', '1-1', '--reason', ' '], 'expected 1 to 255 characters'],
    [['drop', '--reason', 'x'], "missing required argument 'id'"],
    [['replay', '1-99999'], '1 stay as they are'],
  ])('%j: one line and exit code 1', async (words, line) => {
    const { code, stderr } = await run(...words);
    expect([code, stderr]).toEqual([1, expect.stringContaining(line)]);
  });
});

test('drop: the row is kept with the reason, and the mark of what it settled goes', async () => {
  const { id, entry, clear } = await orderInTheWay('sora', 1);
  await clear();
  const token = tokenFor('sora');
  await api.call(`/api/v1/orders/${id}/cancel`, { method: 'POST', token });
  await untilDrained();
  const cancellation = await lastId();
  expect((await run('replay', entry)).code).toBe(0);
  const dropped = await run('drop', cancellation, '--reason', 'she wants it after all');
  expect(dropped).toEqual({ code: 0, stdout: `${cancellation}  dropped\n`, stderr: '' });
  expect(await list('--all')).toMatchObject([
    { id: entry, status: 'replayed' },
    { id: cancellation, status: 'dropped', note: 'she wants it after all' },
  ]);
  expect(await api.redis.hkeys(KEYS.settled)).toEqual([expect.not.stringContaining(entry)]);
  expect((await api.call(`/api/v1/orders/${id}`, { token })).body).toMatchObject({ status: 'placed' });
  await api.redis.hincrby(KEYS.levels, 'tea', -1); // the unit that the cancellation gave back: reconcile shows it
});
