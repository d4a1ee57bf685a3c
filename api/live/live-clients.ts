import type { LiveEvent } from './live-event.ts';
import { SHORTEST_INTERVAL_MS } from './live-events.ts';
import { HEARTBEAT } from './message.ts';

const HEARTBEAT_MS = 15_000;

/** A client's end of a stream. */
export interface ClientStream {
  write(messages: Buffer): void;
  end(): void;
}

interface Client {
  readonly stream: ClientStream;
  /** The version of the event that it was told of. */
  version: number;
  toldAt: number;
}

/** What may be done now. */
export interface Turn {
  readonly now: number;
  /** Writes at most. */
  readonly most: number;
  /** Whether what is known of the event may be told; a heartbeat always may. */
  readonly isSure: boolean;
}

/**
 * All clients of one event, whoever was told something longest ago first. So as long as the first is not to be told anything, nobody
 * is; and each turn goes on where the last one ended.
 */
export class LiveClients {
  readonly event: LiveEvent;
  readonly #clients = new Set<Client>();

  constructor(event: LiveEvent) {
    this.event = event;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** A client that has just been told of the event's present version. Returns what takes it away again. */
  add(stream: ClientStream, now: number): () => void {
    const client = { stream, version: this.event.version, toldAt: now };
    this.#clients.add(client);
    return () => void this.#clients.delete(client);
  }

  /** Tells those whose turn it is. Returns how many messages and heartbeats were written. */
  tell({ now, most, isSure }: Turn): { messages: number; heartbeats: number } {
    const written = { messages: 0, heartbeats: 0 };
    for (const client of this.#clients) {
      const silentMs = now - client.toldAt;
      if (written.messages + written.heartbeats >= most || silentMs < SHORTEST_INTERVAL_MS) break;
      if (isSure && client.version < this.event.version) {
        this.#inform(client, now);
        written.messages += 1;
      } else if (silentMs >= HEARTBEAT_MS) {
        this.#write(client, now, HEARTBEAT);
        written.heartbeats += 1;
      } else break;
    }
    return written;
  }

  /** Ends all streams. */
  end(): void {
    for (const { stream } of this.#clients) stream.end();
  }

  #inform(client: Client, now: number): void {
    const messages = this.event.since(client.version);
    client.version = this.event.version;
    this.#write(client, now, messages);
    if (this.event.isFinal) client.stream.end();
  }

  #write(client: Client, now: number, bytes: Buffer): void {
    client.toldAt = now;
    this.#clients.delete(client);
    this.#clients.add(client);
    client.stream.write(bytes); // may be the end of it, and then it is taken away
  }
}
