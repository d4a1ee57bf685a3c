import { afterEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../engine/runtime/logger.ts';
import { head, RawConnection } from '../../test/fixtures/raw-http.ts';
import type { EventStream, EventStreamReply, StreamClosing } from './event-stream.ts';
import { Problem } from './problem.ts';
import type { Reply } from './reply.ts';
import { HttpServer } from './server.ts';

const DEADLINE_MS = 300;
const open: { server?: HttpServer } = {};

afterEach(() => open.server?.drain());

/** A server with one route that streams; what it began, and how that ended. */
async function serve(answer?: () => Promise<Reply | EventStreamReply>) {
  const streams: EventStream[] = [];
  const closings: StreamClosing[] = [];
  const begin = (stream: EventStream) => {
    streams.push(stream);
    stream.onClosed((closing) => closings.push(closing));
    stream.write(Buffer.from('data: first\n\n'));
  };
  const server = new HttpServer({
    routes: [
      {
        ...{ method: 'get', path: '/stream', access: 'anyone', body: null },
        handleStream: answer ?? (async () => ({ stream: begin })),
      },
      {
        ...{ method: 'get', path: '/hangs', access: 'anyone', body: null },
        handle: () => new Promise(() => undefined),
      },
    ],
    authenticate: () => ({ user: '', role: 'customer' }),
    logger: createLogger('test', 'silent'),
    replyDeadlineMs: DEADLINE_MS,
  });
  open.server = server;
  const url = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/stream`;
  const connect = async () => {
    const connection = await RawConnection.open(url);
    connection.send(head('GET /stream', {}));
    await connection.until(/first/);
    return { connection, stream: streams.at(-1)! };
  };
  return { server, url, connect, closings };
}

test('a stream outlives the deadline of replies, and is ended in order by a drain', async () => {
  const { server, url, connect, closings } = await serve();
  const { connection, stream } = await connect();
  expect((await fetch(new URL('/hangs', url))).status).toBe(503); // it came later, and its deadline is over
  stream.write(Buffer.from('data: later\n\n'));
  await connection.until(/later/);
  await server.drain();
  const text = await connection.untilClosed();
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n/);
  expect(text).not.toMatch(/503|Connection: close/);
  expect(text).toMatch(/\r\n0\r\n\r\n$/);
  expect(closings).toEqual(['ended']);
  stream.write(Buffer.from('data: to nobody\n\n'));
  stream.end();
  expect(closings).toEqual(['ended']);
});

test('whoever has to wait for the beginning of a stream for too long is answered for', async () => {
  const { url } = await serve(() => new Promise(() => undefined));
  expect((await fetch(url)).status).toBe(503);
});

test('a problem and a plain reply are answered as anywhere else', async () => {
  const refusing = await serve(async () => {
    throw new Problem('not_found', 'nothing');
  });
  expect(await (await fetch(refusing.url)).json()).toMatchObject({ code: 'not_found' });
  await refusing.server.drain();
  const { url } = await serve(async () => ({ status: 204 }));
  expect((await fetch(url)).status).toBe(204);
});

test('a client that closes is told of once', async () => {
  const { connect, closings } = await serve();
  const { connection } = await connect();
  connection.close();
  await vi.waitUntil(() => closings.length > 0);
  expect(closings).toEqual(['gone']);
});

test('a client that does not read is dropped before much waits for it; one that reads is not', async () => {
  const { connect, closings } = await serve();
  const message = Buffer.from(`data: ${'x'.repeat(150_000)}\n\n`);
  const [sleeper, reader] = [await connect(), await connect()];
  sleeper.connection.socket.pause();
  const before = process.memoryUsage().rss;
  await vi.waitUntil(
    async () => {
      sleeper.stream.write(message);
      await writeAndRead(reader, message);
      return closings.length > 0;
    },
    { timeout: 20_000, interval: 1 },
  );
  expect(closings).toEqual(['slow']);
  // The kernel takes some megabytes for a socket, this process no more than its bound and a message.
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  for (const { connection } of [sleeper, reader]) connection.close();
});

test('a client that reads is not dropped for a message that the kernel does not take whole', async () => {
  const { connect, closings } = await serve();
  const reader = await connect();
  const message = Buffer.from(`data: ${'x'.repeat(6_000_000)}\n\n`);
  for (let time = 0; time < 3; time++) await writeAndRead(reader, message);
  expect(closings).toEqual([]);
  reader.connection.close();
});

/** Resolves when all of it was read. */
async function writeAndRead(
  { connection, stream }: { connection: RawConnection; stream: EventStream },
  message: Buffer,
): Promise<void> {
  const read = connection.socket.bytesRead + message.length;
  stream.write(message);
  await vi.waitUntil(() => connection.socket.bytesRead >= read || connection.socket.closed, {
    timeout: 10_000,
    interval: 1,
  });
  expect(connection.socket.closed).toBe(false);
}
