import { connect, type Socket } from 'node:net';

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** It is open and nothing is in flight. */
  free(connection: PlainConnection): void;
  /** The answer to what was sent last has come. */
  answered(connection: PlainConnection, status: number): void;
  /** It broke while an answer was awaited. It opens again by itself. */
  broken(connection: PlainConnection): void;
}

const HEAD_END = '\r\n\r\n';
/** "HTTP/1.1 " is 9 characters. */
const STATUS = [9, 12] as const;
const LENGTH = /\r\ncontent-length: *(\d+)/i;

/**
 * A keep-alive connection with one request in flight, which reads of an answer no more than its status and where it
 * ends. A general HTTP client spends several times as much on each answer as our server does on a refusal; a
 * generator that shares the machine with the server could then not offer more than the server can take.
 */
export class PlainConnection {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #events: ConnectionEvents;
  #socket: Socket;
  #received = '';
  #waiting = false;
  /** Its owner was told that it is free, and still has it for that. */
  #announced = false;
  #closed = false;

  constructor(url: string, events: ConnectionEvents) {
    const { hostname, port } = new URL(url);
    this.#address = { host: hostname, port: Number(port) };
    this.#events = events;
    this.#socket = this.#open();
  }

  /** Sends a whole request; only while nothing is in flight. */
  send(request: Buffer): void {
    this.#waiting = true;
    this.#socket.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #open(): Socket {
    const socket = connect({ ...this.#address, noDelay: true });
    socket.once('connect', () => this.#announce());
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined); // told by 'close'
    socket.once('close', () => this.#reopen());
    return socket;
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#events.free(this);
  }

  /** The server closes what is idle for long; only a request that is lost is worth a word. */
  #reopen(): void {
    if (this.#closed) return;
    if (this.#waiting) this.#lose();
    this.#received = '';
    this.#socket = this.#open();
  }

  #lose(): void {
    this.#waiting = false;
    this.#announced = false;
    this.#events.broken(this);
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString('latin1');
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const length = Number(LENGTH.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < end + HEAD_END.length + length) return;
    const status = Number(this.#received.slice(...STATUS));
    this.#received = '';
    this.#waiting = false;
    this.#events.answered(this, status);
  }
}
