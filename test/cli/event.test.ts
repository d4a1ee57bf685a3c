import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { tokenFor } from '../fixtures/http.ts';
import { runCommand } from '../fixtures/processes.ts';
import { useApi } from '../fixtures/running-api.ts';

const api = useApi();
const operator = tokenFor('the operator', 'operator');
const STOCK = 100;
const environment = () => ({ ...api.environment, TZ: 'Asia/Seoul' });
let directory = '';
let sku: string;
let products = 0;

const run = (...words: string[]) => runCommand(['event', ...words, '--data', directory], environment());

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-event-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeEach(async () => {
  products += 1;
  sku = `tea:${products}`; // a number after a colon, as an item of an event has them
  await api.put(sku, { stock: STOCK, price: 100 });
});

const TIMES = { startsAt: '2030-01-05T05:00:00.000Z', endsAt: '2030-01-05T06:00:00.000Z' };
const item = () => ({ sku, stock: 40, price: 60, limitPerUser: null });

function fileOf(content: unknown): string {
  const file = join(directory, 'event.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function created(over: object = {}): Promise<string> {
  const file = fileOf({ name: 'a sale', ...TIMES, items: [item()], ...over });
  const { code, stdout, stderr } = await run('create', file);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split(':')[0]!;
}

const show = async (id: string) => (await api.call(`/api/v1/events/${id}`)).body;
const product = async () => (await api.call(`/api/v1/products/${encodeURIComponent(sku)}`)).body;

/** What was not done is one line that says so, exit code 1, and nothing is changed. */
async function expectRefused(words: string[], reason: string | RegExp): Promise<void> {
  const before = await api.state();
  const { code, stdout, stderr } = await run(...words);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(reason);
  expect(stderr.trim().split('\n').length, stderr).toBeLessThanOrEqual(2); // commander adds where help is
  expect(await api.state()).toEqual(before);
}

describe('event create', () => {
  test('takes what the api takes, from a file or from standard input', async () => {
    const asked = { name: '세일', ...TIMES, holdSeconds: 30, items: [item()] };
    const { code, stdout } = await run('create', fileOf(asked));
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^[\w-]{12}: scheduled, 세일, 2030-01-05 14:00:00 \+09:00 to 2030-01-05 15:00:00 \+09:00\n$/,
      ),
    ]);
    expect(await show(stdout.split(':')[0]!)).toMatchObject({ ...asked, status: 'scheduled' });

    const words = ['dist/cli/main.js', 'event', 'create', '-', '--data', directory];
    const child = spawn(process.execPath, words, {
      cwd: packageRoot,
      env: { PATH: process.env.PATH, ...environment() },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.end(JSON.stringify({ ...asked, startsAt: TIMES.endsAt, endsAt: '2030-01-05T07:00:00Z' }));
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('takes options; an item is read from the right', async () => {
    const words = ['create', '--name', 'by options', '--item', `${sku}:40:60:`, '--hold-seconds', '5'];
    const repeat = ['--cron', '0 14 * * *', '--timezone', 'Asia/Seoul', '--minutes', '60'];
    await api.put('plain:x', { stock: 5 });
    const { code, stdout, stderr } = await run(...words, '--item', 'plain:x:5:1:2', ...repeat);
    expect([code, stderr]).toEqual([0, '']);
    expect(await show(stdout.split(':')[0]!)).toMatchObject({
      name: 'by options',
      holdSeconds: 5,
      repeat: { cron: '0 14 * * *', timezone: 'Asia/Seoul', durationMinutes: 60 },
      items: [item(), { sku: 'plain:x', stock: 5, price: 1, limitPerUser: 2 }],
    });
  });

  test('P4: the same --id again changes nothing and says so; for something else it is refused', async () => {
    const file = fileOf({ name: 'a sale', ...TIMES, items: [item()] });
    const first = await run('create', file, '--id', 'one');
    const again = await run('create', file, '--id', 'one');
    expect(again).toEqual({
      code: 0,
      stdout: `nothing changed, this --id was used for the same before: ${first.stdout}`,
      stderr: '',
    });
    const other = fileOf({ name: 'another', ...TIMES, items: [item()] });
    await expectRefused(['create', other, '--id', 'one'], 'this --id was used for something else');
  });

  test.each([
    ['a file that is not there', () => ['nowhere.json'], /nowhere.json/],
    ['a file that is no JSON', () => [fileOf('{')], /the file: is not JSON/],
    [
      'a file of another shape',
      () => [fileOf({ name: 'x', ...TIMES, items: [], more: 1 })],
      /\/more: .*; \/items: /,
    ],
    ['a number that is no whole one', () => [fileOf('{"holdSeconds":1e3}')], /\/holdSeconds: /],
    ['nothing', () => [], /in FILE or in options/],
    ['a file and options', () => [fileOf({}), '--name', 'x'], /not in both/],
    ['an item without a price', () => ['--item', 'tea:5'], /SKU:STOCK:PRICE/],
    ['a hold of letters', () => ['--hold-seconds', 'x'], /whole number/],
    [
      'options that are wrong, each by its name',
      () => ['--name', 'x', '--starts', 'soon', '--item', 'a:0:1', '--item', 'b:1:1:0', '--minutes', '0'],
      /--item 1, stock: .*; --item 2, limitPerUser: .*: nothing was changed/,
    ],
    [
      'a repeat of which half is said',
      () => ['--name', 'x', '--item', 'a:1:1', '--cron', '0 14 * * *', '--starts', 'soon'],
      /--timezone: .*; --minutes: .*; --starts: /,
    ],
    [
      'a product that is not there',
      () => [fileOf({ name: 'x', ...TIMES, items: [{ ...item(), sku: 'no' }] })],
      /unknown: no/,
    ],
  ])('%s is refused', async (_, words, reason) => {
    await expectRefused(['create', ...words()], reason);
  });

  test('what overlaps another is refused, and names it', async () => {
    const id = await created();
    const file = fileOf({ name: 'a sale', ...TIMES, items: [item()] });
    await expectRefused(['create', file], `bootakhae event show ${id}`);
  });

  test('what cannot be read is said to be so', async () => {
    const missing = join(directory, 'missing.json');
    await expectRefused(['create', missing], `${missing} cannot be read: there is no such file: nothing was`);
    await expectRefused(['create', directory], `${directory} cannot be read: it is a directory: nothing was`);
    await expectRefused(
      ['create', `${fileOf('{}')}/x`],
      /x cannot be read: ENOTDIR: .*: nothing was changed$/m,
    );
  });
});

describe('event edit', () => {
  test('changes what is said, by file or by options, and leaves the rest', async () => {
    const id = await created({ repeat: { cron: '0 14 * * *', timezone: 'Asia/Seoul', durationMinutes: 60 } });
    const before = await show(id);
    expect(await run('edit', id, fileOf({ name: 'another' }))).toMatchObject({ code: 0, stderr: '' });
    expect(await show(id)).toEqual({ ...before, name: 'another' });
    expect((await run('edit', id, '--once', '--ends', '2030-01-05T05:30:00Z')).code).toBe(0);
    expect(await show(id)).toMatchObject({
      name: 'another',
      repeat: null,
      endsAt: '2030-01-05T05:30:00.000Z',
    });
    await expectRefused(['edit', id, '--ends', '2030-01-05T05:00:00Z'], /--ends: must be after/);
    for (const option of [
      ['--cron', '0 14 * * *'],
      ['--timezone', 'Asia/Seoul'],
      ['--minutes', '5'],
    ])
      await expectRefused(
        ['edit', id, '--once', ...option],
        `'--once' cannot be used with option '${option[0]}`,
      );
    await expectRefused(['edit', 'nothing', '--once'], /there is no sale event nothing/);
    await run('cancel', id);
    await expectRefused(['edit', id, '--name', 'x'], /the event is cancelled: nothing was changed/);
  });
});

describe('event open, adjust, close and cancel', () => {
  test('move units, warn of what is short, and are made once under one --id', async () => {
    const id = await created({ items: [{ ...item(), stock: 150 }] });
    const opened = await run('open', id, '--id', `open ${id}`.replace(' ', '-'));
    expect(opened.code).toBe(0);
    expect(opened.stdout).toContain(`${id}: open`);
    expect(opened.stderr).toBe(
      `warning: ${sku}: only ${STOCK} of 150 were there to be moved into the event\n`,
    );
    const adjusting = ['adjust', id, `${sku}:-30`, '--reason', 'too many', '--id', `adjust-${id}`];
    expect((await run(...adjusting)).code).toBe(0);
    expect((await run(...adjusting)).stdout).toMatch(/^nothing changed, this --id was used/);
    expect(await product()).toMatchObject({ stock: 30, event: { id, stock: 70 } });
    expect((await run('close', id)).stdout).toContain(`${id}: closed`);
    expect(await product()).toMatchObject({ stock: STOCK, event: null });
  });

  test('refuse in one line what cannot be, and change nothing', async () => {
    const id = await created();
    await api.call(`/api/v1/events/${id}/open`, { method: 'POST', token: operator });
    await expectRefused(['adjust', id, `${sku}:61`, '--reason', 'x'], /60 available outside the event, 61/);
    await expectRefused(['adjust', id, `${sku}:-41`, '--reason', 'x'], /40 available in it, 41/);
    await expectRefused(['adjust', id, 'no:1', '--reason', 'x'], /the event does not carry no/);
    await expectRefused(['adjust', id, `${sku}:0`, '--reason', 'x'], /product 1: must not be 0/);
    await expectRefused(['adjust', id, `${sku}:1`, '--reason', ' '], /--reason: /);
    await expectRefused(['adjust', id, 'tea', '--reason', 'x'], /SKU:DELTA/);
    await expectRefused(['adjust', id, `${sku}:1`], /--reason/);
    await expectRefused(['open', 'nothing'], /there is no sale event nothing, see bootakhae event list/);
    await expectRefused(['open', id, '--id', 'with a blank'], /visible ASCII/);
    expect((await run('cancel', id)).stdout).toContain(`${id}: cancelled`);
    await expectRefused(['close', id], /the event is cancelled: nothing was changed/);
  });
});

describe('event list and show', () => {
  test('print the next window first, those that are over last, in local time with its zone', async () => {
    const late = await created({
      startsAt: '2029-01-05T05:00:00Z',
      endsAt: '2029-01-05T06:00:00Z',
      name: 'late',
    });
    const over = await created({
      startsAt: '2027-01-05T05:00:00Z',
      endsAt: '2027-01-05T06:00:00Z',
      name: 'over',
    });
    await run('cancel', over);
    const soon = await created({
      startsAt: '2028-01-05T05:00:00Z',
      endsAt: '2028-01-05T06:00:00Z',
      name: 'soon',
    });
    const { code, stdout } = await run('list');
    const lines = stdout.trim().split('\n');
    expect([code, lines[0]]).toEqual([
      0,
      expect.stringMatching(/^ID +STATUS +STARTS +ENDS +WINDOW +PRODUCTS +NAME$/),
    ]);
    const at = (id: string) => lines.findIndex((line) => line.startsWith(id));
    expect(at(soon)).toBeGreaterThan(0);
    expect(at(late)).toBeGreaterThan(at(soon));
    expect(at(over)).toBeGreaterThan(at(late));
    expect(lines[at(soon)]).toMatch(
      /scheduled +2028-01-05 14:00:00 \+09:00 +2028-01-05 15:00:00 \+09:00 +1 +1 +soon$/,
    );
    const listed = JSON.parse((await run('list', '--json', '--status', 'cancelled')).stdout);
    expect(listed).toContainEqual(await show(over));
    expect(listed.every(({ status }: { status: string }) => status === 'cancelled')).toBe(true);
    await expectRefused(['list', '--status', 'gone'], /scheduled, open, closed, cancelled/);
  });

  test('print one with what its pool has now and what became of its windows', async () => {
    const id = await created({ repeat: { cron: '0 14 * * *', timezone: 'Asia/Seoul', durationMinutes: 60 } });
    await run('open', id);
    expect((await api.order('mina', [{ sku, quantity: 3 }])).status).toBe(201);
    const writer = api.start(['writer']);
    await vi.waitUntil(async () => (await api.redis.xlen(KEYS.journal)) === 0, { timeout: 20_000 });
    expect(await writer.stop()).toBe(0);
    const shown = JSON.parse((await run('show', id, '--json')).stdout);
    expect(shown).toEqual({
      ...(await show(id)),
      items: [{ ...item(), inPool: 37 }],
      history: [
        expect.objectContaining({
          occurrence: 1,
          status: 'open',
          items: [expect.objectContaining({ sold: 3 })],
        }),
      ],
    });
    const { code, stdout } = await run('show', id);
    expect(code).toBe(0);
    for (const line of [
      /^repeats +0 14 \* \* \* \(Asia\/Seoul\), 60 minutes each$/m,
      /^tea:\d+ +40 +60 +- +37$/m,
      /^1 +open +\S+ \S+ \+09:00 +\S+ \S+ \+09:00 +40 +3 +0$/m,
    ])
      expect(stdout).toMatch(line);
    await expectRefused(['show', 'nothing'], /there is no sale event nothing/);
  });
});
