import { beforeAll, describe, expect, test } from 'vitest';
import { tokenFor } from '../fixtures/http.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const ORDER = '{"items":[{"sku":"tea","quantity":1}]}';
const PATH = '/api/v1/orders';
const JSON_TYPE = 'application/json';

beforeAll(async () => {
  await api.put('tea', { stock: 1_000 });
});

function post(body: string, headers: Record<string, string> = {}) {
  return api.call(PATH, { method: 'POST', token: tokenFor('mina'), body, headers });
}

function orderHead(headers: Record<string, string>): string {
  const authorization = `Bearer ${tokenFor('mina')}`;
  return head(`POST ${PATH}`, { Authorization: authorization, 'Content-Type': JSON_TYPE, ...headers });
}

/** Sends bytes and resolves to the whole text of what comes back. */
async function exchange(...parts: (string | Buffer)[]): Promise<string> {
  const connection = await RawConnection.open(api.url);
  connection.send(...parts);
  const text = await connection.until(/"code":"|"id":"/);
  connection.close();
  return text;
}

async function expectAlive(): Promise<void> {
  expect((await api.call('/healthz')).body).toEqual({ status: 'alive' });
  expect(api.process.child.exitCode).toBeNull();
}

describe('a body where none is taken', () => {
  const confirm = (body?: string) =>
    api.call(`${PATH}/0001000000KQ2003/confirm`, {
      method: 'POST',
      token: tokenFor('mina'),
      ...(body === undefined ? {} : { body }),
    });

  test('may be left out, or be an empty object', async () => {
    for (const body of [undefined, '{}', ' { } ']) expectProblem(await confirm(body), 404, 'not_found');
  });

  test.each(['{"x":1}', '[]', 'null', '{', 'hello'])(
    'is refused when it says something: %s',
    async (body) => {
      expectProblem(await confirm(body), 400, 'invalid_request');
    },
  );
});

describe('a body that is no JSON in UTF-8 is refused with 400', () => {
  test.each([
    ['empty', ''],
    ['cut off', ORDER.slice(0, -1)],
    ['with something after it', `${ORDER}x`],
    ['with single quotes', ORDER.replaceAll('"', "'")],
    ['with a comma too many', '{"items":[{"sku":"tea","quantity":1,}]}'],
    ['with a byte order mark', `\ufeff${ORDER}`],
    ['of NUL', '\0'],
    ['of nothing but brackets, 100,000 deep and open', '['.repeat(100_000)],
  ])('%s', async (_, body) => {
    expectProblem(await post(body), 400, 'invalid_request');
    await expectAlive();
  });

  test.each([
    ['100,000 brackets deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['100,000 objects deep', `${'{"items":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['deep within a line', `{"items":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`],
  ])('%s', async (_, body) => {
    expectProblem(await post(body), 400, 'invalid_request');
    await expectAlive();
  });

  test.each([
    ['a stray continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut-off character', [0xed, 0x95]],
    ['Latin-1', [0xe9]],
  ])('%s', async (_, bytes) => {
    const [before = '', after = ''] = ORDER.split('tea');
    const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    const text = await exchange(orderHead({ 'Content-Length': String(body.length) }), body);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('is not UTF-8');
  });
});

describe('the content type', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])('%s is taken', async (type) => {
    expect((await post(ORDER, { 'content-type': type })).status).toBe(201);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'application/json; charset=latin1',
    '',
  ])('"%s" is refused with 415', async (type) => {
    expectProblem(await post(ORDER, { 'content-type': type }), 415, 'unsupported_media_type');
  });

  test('that is missing is refused with 415', async () => {
    const text = await exchange(
      head(`POST ${PATH}`, {
        Authorization: `Bearer ${tokenFor('mina')}`,
        'Content-Length': String(ORDER.length),
      }),
      ORDER,
    );
    expect(text).toMatch(/^HTTP\/1\.1 415 /);
  });
});

describe('how a body arrives', () => {
  test('in chunks, each a part of a character, is all the same', async () => {
    await api.put('한', { stock: 1 });
    const body = Buffer.from(ORDER.replace('tea', '한'));
    const connection = await RawConnection.open(api.url);
    connection.socket.setNoDelay(true);
    connection.send(orderHead({ 'Transfer-Encoding': 'chunked' }));
    for (const byte of body) connection.send('1\r\n', Buffer.from([byte]), '\r\n');
    connection.send('0\r\n\r\n');
    expect(await connection.until(/"id":"/)).toMatch(/^HTTP\/1\.1 201 /);
    connection.close();
  });

  test('bytes beyond its stated length are no part of it', async () => {
    const before = await api.stockOf('tea');
    const text = await exchange(
      orderHead({ 'Content-Length': String(ORDER.length), Connection: 'close' }),
      ORDER,
    );
    expect(text).toMatch(/^HTTP\/1\.1 201 /);
    expect(await api.stockOf('tea')).toBe(before - 1);
  });

  test('one of exactly 1 MiB is read, one byte more is refused with 413', async () => {
    const padded = (bytes: number) => ORDER + ' '.repeat(bytes - ORDER.length);
    expect((await post(padded(1_048_576))).status).toBe(201);
    const refused = await exchange(orderHead({ 'Content-Length': '1048577' }), padded(1_048_577));
    expect(refused).toMatch(/^HTTP\/1\.1 413 /);
    expect(refused).toContain('"code":"payload_too_large"');
  });

  test.each([
    ['of stated length', (body: string) => [orderHead({ 'Content-Length': String(body.length) }), body]],
    [
      'in chunks',
      (body: string) => [
        orderHead({ 'Transfer-Encoding': 'chunked' }),
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      ],
    ],
  ])('2 MB %s are answered with 413, the connection is closed, the process lives', async (_, request) => {
    const connection = await RawConnection.open(api.url);
    connection.send(...request(' '.repeat(2_000_000)));
    const text = await connection.untilClosed();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('"code":"payload_too_large"');
    await expectAlive();
  });
});

describe('a caller that goes away', () => {
  test('in the middle of the body has ordered nothing, and the process lives', async () => {
    const before = await api.state();
    for (let time = 0; time < 20; time++) {
      const connection = await RawConnection.open(api.url);
      connection.send(orderHead({ 'Content-Length': String(ORDER.length) }), ORDER.slice(0, -5));
      connection.close();
    }
    await expectAlive();
    expect(await api.state()).toEqual(before);
  });

  test('P1: before its reply has ordered once or not at all, and the process lives', async () => {
    const times = 50;
    const before = await api.stockOf('tea');
    for (let time = 0; time < times; time++) {
      const connection = await RawConnection.open(api.url);
      connection.socket.end(orderHead({ 'Content-Length': String(ORDER.length) }) + ORDER);
      connection.socket.destroySoon();
    }
    await expectAlive();
    const taken = before - (await api.stockOf('tea'));
    expect(taken).toBeLessThanOrEqual(times);
    await api.expectConsistent();
  });
});
