import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { claimFreePort, releasePort } from '../../../cli/stack/ports.ts';

/**
 * What a network does to connections:
 *
 * - `pass`: nothing
 * - `slow`: every byte arrives later, in order
 * - `stalled`: nothing arrives until it passes again, then all of it does, late, as after TCP has sent it again
 * - `swallowed`: connections are accepted, what is sent vanishes; when it passes again they are reset
 * - `cut`: connections are closed, new ones are refused
 * - `reset`: connections are reset (RST), new ones as soon as they are accepted
 * - `half-way`: of each connection the first answer is cut in the middle, then it is reset
 */
export const NETWORK_FAULTS = ['slow', 'stalled', 'swallowed', 'cut', 'reset', 'half-way'] as const;
export type Weather = 'pass' | (typeof NETWORK_FAULTS)[number];

/** What a proxy does now, as its pipes see it. */
interface Sky {
  weather: Weather;
  delayMs: number;
}

/** A proxy in front of one server, for one of its clients, whose network a test decides upon. Loopback only. */
export class TcpProxy {
  readonly port: number;
  #accepted = 0;
  #target: number;
  readonly #sky: Sky = { weather: 'pass', delayMs: 0 };
  readonly #pairs = new Set<Pair>();
  #server: Server | null = null;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  /** Starts to listen on a port of its own, in front of 127.0.0.1:`target`, which need not answer yet. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(await claimFreePort(), target);
    await proxy.#listen();
    return proxy;
  }

  /** How many connections it has accepted, those included that it reset at once. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The same address, by way of this proxy. */
  inFrontOf(url: string): string {
    const through = new URL(url);
    through.port = String(this.port);
    return through.href.replace(/\/$/, '');
  }

  /** From now on the network is like that; `delayMs` is what `slow` takes each way. */
  async set(weather: Weather, delayMs = 0): Promise<void> {
    const before = this.#sky.weather;
    Object.assign(this.#sky, { weather, delayMs });
    if (before === 'swallowed' || weather === 'reset') this.#resetAll();
    if (weather === 'cut') await this.#refuse();
    else await this.#listen();
    for (const pair of this.#pairs) pair.go();
  }

  /** Another server answers from now on, as after a failover: connections to the old one are closed. */
  redirect(target: number): void {
    this.#target = target;
    for (const pair of this.#pairs) pair.destroy();
  }

  /** Closes every connection and stops to listen. */
  async stop(): Promise<void> {
    await this.#refuse();
    releasePort(this.port);
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async #refuse(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    for (const pair of this.#pairs) pair.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    client.on('error', () => undefined); // its close says it
    if (this.#sky.weather === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(
      client,
      connect({ host: '127.0.0.1', port: this.#target, noDelay: true }),
      this.#sky,
    );
    this.#pairs.add(pair);
    client.once('close', () => this.#pairs.delete(pair));
  }

  #resetAll(): void {
    for (const pair of this.#pairs) pair.reset();
  }
}

/** A client's connection and the one to the server. */
class Pair {
  readonly #sockets: readonly [client: Socket, server: Socket];
  readonly #pipes: readonly Pipe[];

  constructor(client: Socket, server: Socket, sky: Sky) {
    this.#sockets = [client, server];
    server.on('error', () => undefined); // its close says it
    const answers = new Pipe(server, client, sky);
    answers.onHalf = () => this.reset();
    this.#pipes = [new Pipe(client, server, sky), answers];
    client.once('close', () => server.destroy());
    // What the server said last is still delivered.
    server.once('close', () => client.end());
    server.once('error', () => client.resetAndDestroy());
  }

  /** The weather has changed. */
  go(): void {
    for (const pipe of this.#pipes) pipe.go();
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** One direction: keeps the order, whatever is late. */
class Pipe {
  /** Called when an answer was cut in the middle; set for answers only. */
  onHalf: (() => void) | null = null;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #sky: Sky;
  readonly #waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(from: Socket, to: Socket, sky: Sky) {
    this.#from = from;
    this.#to = to;
    this.#sky = sky;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.once('close', () => this.#timer && clearTimeout(this.#timer));
  }

  /** Delivers what is due. */
  go(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#waiting.length > 0 && this.#sky.weather !== 'stalled') {
      const lateMs = this.#waiting[0]!.dueMs - performance.now();
      if (lateMs > 0 && this.#sky.weather === 'slow') {
        this.#timer = setTimeout(() => this.go(), lateMs);
        return;
      }
      this.#write(this.#waiting.shift()!.chunk);
    }
  }

  #take(chunk: Buffer): void {
    const { weather, delayMs } = this.#sky;
    if (weather === 'swallowed') return;
    if (weather === 'half-way' && this.onHalf) {
      this.#to.write(chunk.subarray(0, chunk.length >> 1), this.onHalf);
      return;
    }
    this.#waiting.push({ chunk, dueMs: performance.now() + (weather === 'slow' ? delayMs : 0) });
    if (!this.#timer) this.go();
  }

  #write(chunk: Buffer): void {
    if (this.#to.destroyed || this.#to.write(chunk)) return;
    this.#from.pause();
    this.#to.once('drain', () => this.#from.resume());
  }
}
