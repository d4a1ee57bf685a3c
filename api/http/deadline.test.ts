import { expect, test } from 'vitest';
import { createLogger } from '../../engine/runtime/logger.ts';
import { head, RawConnection } from '../../test/fixtures/raw-http.ts';
import type { Reply } from './reply.ts';
import type { Method } from './route.ts';
import { HttpServer } from './server.ts';

const DEADLINE_MS = 300;

/** A server whose routes answer when they are told to. */
async function serve(method: Method) {
  let answer: (reply: Reply) => void = () => undefined;
  const server = new HttpServer({
    routes: [
      {
        method,
        path: '/slow',
        access: 'anyone',
        body: null,
        handle: () => new Promise((resolve) => (answer = resolve)),
      },
    ],
    authenticate: () => ({ user: '', role: 'customer' }),
    logger: createLogger('test', 'silent'),
    replyDeadlineMs: DEADLINE_MS,
  });
  const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/slow`;
  return { server, url, answer: (reply: Reply) => answer(reply) };
}

test.each([
  ['post', 504, 'outcome_unknown'],
  ['get', 503, 'not_accepting'],
] as const)('a %s whose handler hangs is answered for with %i', async (method, status, code) => {
  const { server, url, answer } = await serve(method);
  const started = performance.now();
  const response = await fetch(url, { method });
  expect(performance.now() - started).toBeGreaterThanOrEqual(DEADLINE_MS - 1);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ code });
  answer({ status: 200, body: 'too late, and nobody is told' });
  await server.drain();
});

test('a post whose body never comes is told that nothing was done, and its connection is closed', async () => {
  const { server, url } = await serve('post');
  const connection = await RawConnection.open(url);
  connection.send(`${head('POST /slow', { 'Content-Length': '2' })}{`);
  const told = await connection.untilClosed();
  expect(told).toContain('HTTP/1.1 408');
  expect(told).toContain('request_timeout');
  expect(told).toContain('Connection: close');
  await server.drain();
});

test('draining waits for the answers that are owed', async () => {
  const { server, url, answer } = await serve('get');
  const asked = fetch(url);
  const other = await fetch(`${url}/elsewhere`); // once this is answered the first was read
  expect(other.status).toBe(404);
  const drained = server.drain();
  answer({ status: 200, body: { it: 'is' } });
  expect(await (await asked).json()).toEqual({ it: 'is' });
  await drained;
});
