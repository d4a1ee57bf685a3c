import { connect, type Socket } from 'node:net';

/** What is sent: no more than the run needs. `body` is JSON already. */
export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body?: string | undefined;
  readonly key?: string | null;
}

/** What came back; its body is parsed when somebody looks into it. */
export class Reply {
  readonly status: number;
  readonly isReplay: boolean;
  readonly text: string;
  #body: unknown;

  constructor(status: number, isReplay: boolean, text: string) {
    this.status = status;
    this.isReplay = isReplay;
    this.text = text;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came back
  get body(): any {
    this.#body ??= this.text === '' ? null : JSON.parse(this.text);
    return this.#body;
  }
}

/** `broken`: sent, and nobody knows what came of it; `unreachable`: never sent. */
export type Sent = Reply | 'broken' | 'unreachable';

const SILENT_MS = 30_000;
const LOOK_EVERY_MS = 5_000;

/**
 * Sends requests over connections that stay open, one request at a time on each. On plain sockets, because node's own
 * client takes more of a core than the two apis that it asks, and the run would measure itself.
 */
export class HttpPool {
  readonly #idle = new Map<string, Connection[]>();
  readonly #all = new Set<Connection>();
  readonly #watch = setInterval(() => this.#breakSilent(), LOOK_EVERY_MS);

  /** Sends it to the api at `url` (`http://host:port`). */
  async send(url: string, sending: Sending): Promise<Sent> {
    const idle = this.#idle.get(url) ?? [];
    this.#idle.set(url, idle);
    const connection = popOpen(idle) ?? (await this.#open(url));
    if (!connection) return 'unreachable';
    const reply = await connection.exchange(write(sending));
    if (reply) idle.push(connection);
    return reply ?? 'broken';
  }

  close(): void {
    clearInterval(this.#watch);
    for (const connection of this.#all) connection.socket.destroy();
  }

  async #open(url: string): Promise<Connection | null> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const opened = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('close', () => resolve(false));
      socket.on('error', () => undefined); // it is closed then, which is what counts
    });
    if (!opened) return null;
    const connection = new Connection(socket);
    this.#all.add(connection);
    socket.once('close', () => this.#all.delete(connection));
    return connection;
  }

  #breakSilent(): void {
    for (const connection of this.#all) if (connection.waitsSince() > SILENT_MS) connection.socket.destroy();
  }
}

function popOpen(idle: Connection[]): Connection | undefined {
  for (let last = idle.pop(); last; last = idle.pop()) if (!last.socket.destroyed) return last;
  return undefined;
}

function write({ method, path, token, body, key }: Sending): string {
  const content = body === undefined ? '' : `content-type: application/json\r\n`;
  const length = method === 'POST' || body ? `content-length: ${Buffer.byteLength(body ?? '')}\r\n` : '';
  const keyed = key ? `idempotency-key: ${key}\r\n` : '';
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n`;
  return `${head}${content}${length}${keyed}\r\n${body ?? ''}`;
}

class Connection {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: ((reply: Reply | null) => void) | null = null;
  #sentMs = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.once('close', () => this.#answer(null));
  }

  /** Resolves to the reply, or to null when the connection broke before it was whole. */
  exchange(request: string): Promise<Reply | null> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#sentMs = performance.now();
      if (this.socket.destroyed) this.#answer(null);
      else this.socket.write(request);
    });
  }

  /** For how long a request has been without a reply, ms. */
  waitsSince(): number {
    return this.#waiting ? performance.now() - this.#sentMs : 0;
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#received.toString('latin1', 0, end).toLowerCase();
    const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
    const whole = end + 4 + length;
    if (this.#received.length < whole) return;
    const text = this.#received.toString('utf8', end + 4, whole);
    this.#received = this.#received.subarray(whole);
    const status = Number(head.slice(9, 12));
    this.#answer(new Reply(status, head.includes('\r\nidempotency-replayed: true'), text));
  }

  #answer(reply: Reply | null): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.(reply);
  }
}
