import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';

/** The proxy that the network faults stand on does what it says, in front of a server that says everything back. */
let server: Server;
let proxy: TcpProxy;
const opened: Socket[] = [];
const ANSWER = 'twenty bytes of text';
const DELAY_MS = 80;

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

/** A connection through the proxy, what it received and how it ended. */
function open() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  opened.push(socket);
  const seen = { socket, text: '', error: '', closed: false };
  socket.on('data', (chunk) => {
    seen.text += chunk;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code ?? error.message;
  });
  socket.on('close', () => {
    seen.closed = true;
  });
  return seen;
}

/** A connection that has had its first answer. */
async function openAndHear() {
  const seen = open();
  seen.socket.write('hello');
  await vi.waitUntil(() => seen.text === 'hello');
  seen.text = '';
  return seen;
}

test('passes everything on, in order', async () => {
  const seen = open();
  const sent = Array.from({ length: 2_000 }, (_, at) => `${at};`);
  for (const text of sent) seen.socket.write(text);
  await vi.waitUntil(() => seen.text.length === sent.join('').length);
  expect(seen.text).toBe(sent.join(''));
});

test('slow: late by the delay each way, in order also when it passes again', async () => {
  const seen = await openAndHear();
  await proxy.set('slow', DELAY_MS);
  const startMs = performance.now();
  seen.socket.write(ANSWER);
  await vi.waitUntil(() => seen.text === ANSWER);
  expect(performance.now() - startMs).toBeGreaterThan(2 * DELAY_MS - 5);
  seen.socket.write('1');
  await proxy.set('pass');
  seen.socket.write('2');
  await vi.waitUntil(() => seen.text === `${ANSWER}12`);
});

test('stalled: nothing until it passes again, then all of it', async () => {
  const seen = await openAndHear();
  await proxy.set('stalled');
  seen.socket.write(ANSWER);
  await new Promise((resolve) => setTimeout(resolve, DELAY_MS)); // nothing is to happen: there is nothing to await
  expect(seen.text).toBe('');
  await proxy.set('pass');
  await vi.waitUntil(() => seen.text === ANSWER);
});

test('swallowed: it is gone, and the connection is reset when it passes again', async () => {
  const seen = await openAndHear();
  await proxy.set('swallowed');
  seen.socket.write(ANSWER);
  await new Promise((resolve) => setTimeout(resolve, DELAY_MS)); // nothing is to happen: there is nothing to await
  expect(seen).toMatchObject({ text: '', closed: false });
  await proxy.set('pass');
  await vi.waitUntil(() => seen.closed);
  expect(seen).toMatchObject({ text: '', error: 'ECONNRESET' });
  await openAndHear();
});

test('cut: closed, new ones refused, until it passes again', async () => {
  const seen = await openAndHear();
  await proxy.set('cut');
  await vi.waitUntil(() => seen.closed);
  const refused = open();
  await vi.waitUntil(() => refused.closed);
  expect(refused.error).toBe('ECONNREFUSED');
  await proxy.set('pass');
  await openAndHear();
});

test('reset: old connections and new ones', async () => {
  const seen = await openAndHear();
  await proxy.set('reset');
  const fresh = open();
  await vi.waitUntil(() => seen.closed && fresh.closed);
  expect([seen.error, fresh.error]).toEqual(['ECONNRESET', 'ECONNRESET']);
  await proxy.set('pass');
  await openAndHear();
});

test('half-way: half an answer, then a reset', async () => {
  const seen = await openAndHear();
  await proxy.set('half-way');
  seen.socket.write(ANSWER);
  await vi.waitUntil(() => seen.closed);
  expect(seen.text).toBe(ANSWER.slice(0, ANSWER.length / 2));
  await proxy.set('pass');
  await openAndHear();
});

test('a server that is away looks like one', async () => {
  const away = await TcpProxy.start(1);
  const socket = connect({ host: '127.0.0.1', port: away.port });
  opened.push(socket);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  await away.stop();
});
