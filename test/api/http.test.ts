import { describe, expect, test } from 'vitest';
import { tokenFor } from '../fixtures/http.ts';
import { runCommand } from '../fixtures/processes.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();

describe('paths and methods', () => {
  test('/healthz and /readyz answer 200', async () => {
    expect(await api.call('/healthz')).toMatchObject({ status: 200, body: { status: 'alive' } });
    expect(await api.call('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  test.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v2/orders',
    '/healthz/',
    '/api/v1/orders/a/b',
    '/API/V1/ORDERS',
    '/%00',
  ])('%s is not there: 404', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      expectProblem(await api.call(path, { method, token: tokenFor('mina') }), 404, 'not_found');
    }
  });

  test.each([
    ['/healthz', 'POST', 'GET'],
    ['/readyz', 'DELETE', 'GET'],
    ['/api/v1/orders', 'DELETE', 'POST'],
    ['/api/v1/orders/0001000000000000', 'PUT', 'GET'],
    ['/api/v1/products/tea', 'DELETE', 'GET, PUT'],
    ['/api/v1/products/tea', 'PATCH', 'GET, PUT'],
    ['/api/v1/wishlist', 'POST', 'GET'],
    ['/api/v1/wishlist/tea', 'POST', 'PUT, DELETE'],
    ['/api/v1/wishlist/order', 'GET', 'POST'],
    ['/api/v1/orders', 'OPTIONS', 'POST'],
  ])('%s does not take %s: 405 that says what it takes', async (path, method, allowed) => {
    const answer = await api.call(path, { method, token: tokenFor('mina') });
    expectProblem(answer, 405, 'method_not_allowed');
    const allow = String(answer.headers.allow).split(', ');
    expect(allow).toEqual(expect.arrayContaining(allowed.split(', ')));
    expect(allow).not.toContain(method);
  });

  test('a query changes nothing about where a request goes', async () => {
    expect((await api.call('/healthz?a=1&b=%zz')).status).toBe(200);
  });
});

describe('one connection, many requests', () => {
  test.each(['/healthz', '/api/v1/products/nothing', '/nowhere'])(
    'HEAD %s is answered without a body, so that the next answer is read right',
    async (path) => {
      const connection = await RawConnection.open(api.url);
      connection.send(head(`HEAD ${path}`, {}));
      await connection.until(/\r\n\r\n/);
      connection.send(head('GET /healthz', {}));
      const text = await connection.until(/"alive"/);
      connection.close();
      const [, rest = ''] = text.split(/\r\n\r\n(.*)/s);
      expect(rest).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  test('a body on a route that reads none does no harm to the next request', async () => {
    const connection = await RawConnection.open(api.url);
    connection.send(head('GET /healthz', { 'Content-Length': '5' }), 'hello', head('GET /readyz', {}));
    expect(await connection.until(/"ready"/)).toMatch(/"alive".*"ready"/s);
    connection.close();
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a header without end', `GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}`],
    ['a negative length', 'POST /api/v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    [
      'a length and chunks',
      head('POST /api/v1/orders', { 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }),
    ],
    [
      'a chunk of impossible size',
      `${head('POST /api/v1/orders', { 'Transfer-Encoding': 'chunked' })}zz\r\n`,
    ],
  ])('%s ends the connection, not the process', async (_, bytes) => {
    const connection = await RawConnection.open(api.url);
    connection.send(bytes);
    expect(await connection.untilClosed()).not.toMatch(/^HTTP\/1\.1 2/);
    expect((await api.call('/healthz')).status).toBe(200);
  });

  test('pipelined orders are each decided at most once, and the process lives', async () => {
    await api.put('tea', { stock: 50 });
    const body = '{"items":[{"sku":"tea","quantity":1}]}';
    const request = `${head('POST /api/v1/orders', {
      Authorization: `Bearer ${tokenFor('mina')}`,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
    })}${body}`;
    const connection = await RawConnection.open(api.url);
    connection.send(request.repeat(10));
    connection.socket.end();
    const answered = (await connection.untilClosed()).match(/HTTP\/1\.1 201 /g)?.length ?? 0;
    expect((await api.call('/healthz')).status).toBe(200);
    expect(50 - (await api.stockOf('tea'))).toBeGreaterThanOrEqual(answered);
    await api.expectConsistent();
  });
});

describe('the port', () => {
  test('that is taken is refused with one line that names it, and exit code 1', async () => {
    const PORT = new URL(api.url).port;
    const { code, stdout, stderr } = await runCommand(['api'], { ...api.environment, PORT });
    expect(code).toBe(1);
    expect(stdout).not.toContain('"listening"');
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`:${PORT}.*HOST, PORT`))]);
    expect((await api.call('/healthz')).status).toBe(200);
  });

  test('is free again at once for the next process', async () => {
    const first = api.start(['api'], { PORT: '0' });
    const { url } = await first.waitForLog(({ msg }) => msg === 'listening');
    expect(await first.stop()).toBe(0);
    const PORT = new URL(String(url)).port;
    const second = api.start(['api'], { PORT });
    expect((await second.waitForLog(({ msg }) => msg === 'listening')).url).toBe(url);
    expect(await second.stop('SIGINT')).toBe(0);
  });
});
