import { connect, type Socket } from 'node:net';

/**
 * Clients that watch live stock and read all they are sent, a process of its own: so many plain sockets, which read no more of
 * a stream than where its messages end. Says in its log when all have their snapshot, and when it is stopped what they got.
 *
 *     node dist/bench/live/clients.js URL COUNT
 */
const [url = '', count = ''] = process.argv.slice(2);
const { hostname, port, pathname } = new URL(url);
const REQUEST = `GET ${pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`;
/** Connections opened at once: more than the server's backlog takes would wait for a second. */
const OPENING_AT_ONCE = 100;
const ID_LINE = Buffer.from('\nid: ');
const READ_BUFFER = Buffer.alloc(65_536);

const seen = { connected: 0, messages: 0, bytes: 0, lost: 0 };
const startedAt = performance.now();
let stopping = false;

function say(msg: string): void {
  const seconds = (performance.now() - startedAt) / 1_000;
  const time = new Date().toISOString();
  process.stdout.write(`${JSON.stringify({ msg, time, seconds, cpu: process.cpuUsage(), ...seen })}\n`);
}

/** Opens one client; resolves when its first message has come. */
function watch(): Promise<void> {
  return new Promise((resolve) => {
    const read = (bytes: number, buffer: Uint8Array): boolean => {
      seen.bytes += bytes;
      // Every write of the server's has one id, in its last message.
      if ((buffer as Buffer).subarray(0, bytes).includes(ID_LINE)) {
        seen.messages += 1;
        resolve();
      }
      return true;
    };
    const socket: Socket = connect({
      ...{ host: hostname, port: Number(port) },
      onread: { buffer: READ_BUFFER, callback: read },
    });
    socket.once('connect', () => socket.write(REQUEST));
    socket.on('error', () => undefined); // told by 'close'
    socket.once('close', () => {
      if (!stopping) seen.lost += 1;
      resolve();
    });
    sockets.push(socket);
  });
}

const sockets: Socket[] = [];
process.once('SIGTERM', () => {
  stopping = true;
  say('stopped');
  for (const socket of sockets) socket.destroy();
});
for (let opened = 0; opened < Number(count); opened += OPENING_AT_ONCE) {
  const some = Math.min(OPENING_AT_ONCE, Number(count) - opened);
  await Promise.all(Array.from({ length: some }, watch));
  seen.connected += some;
}
say('watching');
