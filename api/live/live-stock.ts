import { NotAccepting } from '../../engine/domain/fault.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { LiveClients } from './live-clients.ts';
import type { LiveEvent } from './live-event.ts';
import { LiveEvents, type LiveEventsOptions, SHORTEST_INTERVAL_MS } from './live-events.ts';
import { writeRetry } from './message.ts';
import { Pace, TURN_MS } from './pace.ts';

/** A stream of server-sent events to one client. */
export interface LiveStream {
  write(messages: Buffer): void;
  end(): void;
  /** `slow`: dropped because it did not read what it was sent. */
  onClosed(listener: (closing: 'ended' | 'slow' | 'gone') => void): void;
}

/** What becomes of a wish to watch an event; `over`: who asks was told all there will ever be. */
export type WatchResult =
  | { readonly kind: 'missing' }
  | { readonly kind: 'over' }
  | { readonly kind: 'stream'; readonly begin: (stream: LiveStream) => void };

export interface LiveStockOptions extends Omit<LiveEventsOptions, 'clock'> {
  readonly clock: Clock;
  /** Whether Redis is not to be believed now: nothing that was read of it is told. */
  readonly isInDoubt: () => boolean;
  /** Something is wrong in this process; the streams stay open. */
  readonly onDefect: (error: Error) => void;
  /** Clients at once. */
  readonly mostClients: number;
  /** Writes to clients in a second, all together. */
  readonly writesPerSecond: number;
}

/** Writes before the event loop goes on to whoever waits: an order waits for no more than these, some 0.3 ms. */
const WRITES_OF_SLICE = 16;
/** Clients that all lost their streams at once come back one after another. */
const RETRY_MS = { least: 1_000, most: 4_000 } as const;

/**
 * Tells everybody who watches a sale event of its stock as it changes: a snapshot, then what is different, each client at most
 * ten times a second. All of a process's clients share one budget of writes, since it is the writes that cost: with more than a
 * tenth of it connected each is told less often, and then of the last values; while the process is busy less often still. While Redis is away or in doubt streams stay open and nothing is
 * told; afterwards everybody gets a new snapshot.
 *
 * One timer, and one reading of Redis at a time, serve all clients; both rest while there are none.
 */
export class LiveStock {
  readonly #options: LiveStockOptions;
  readonly #events: LiveEvents;
  readonly #pace: Pace;
  /** By event; whoever was served goes last. */
  readonly #clients = new Map<string, LiveClients>();
  #joining = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #counts = { clients: 0, messages: 0, dropped: 0, refused: 0 };
  readonly #full: NotAccepting;

  constructor(options: LiveStockOptions) {
    this.#options = options;
    this.#events = new LiveEvents(options);
    this.#pace = new Pace(options.writesPerSecond);
    this.#full = new NotAccepting(`${options.mostClients} clients watch live stock here already`);
  }

  /** Clients now; and since the process started messages told, clients dropped as slow, clients refused. */
  get counts(): Readonly<Record<'clients' | 'messages' | 'dropped' | 'refused', number>> {
    return this.#counts;
  }

  /** How long a client that is told everything as soon as it may be waits between two messages, in ms. */
  get intervalMs(): number {
    return Math.max(SHORTEST_INTERVAL_MS, this.#pace.roundMs(this.#counts.clients));
  }

  /**
   * A client wants to watch the event `id`; `lastEventId` is what it says that it was told last, or empty. Rejects with
   * `NotAccepting` when there are too many, or when it is not known now how the event stands.
   */
  async watch(id: string, lastEventId: string): Promise<WatchResult> {
    if (this.#counts.clients + this.#joining >= this.#options.mostClients) {
      this.#counts.refused += 1;
      throw this.#full;
    }
    this.#joining += 1;
    try {
      if (this.#options.isInDoubt()) this.#events.doubt();
      const event = await this.#events.find(id);
      if (!event) return { kind: 'missing' };
      if (event.isFinal && lastEventId !== '') return { kind: 'over' };
      return { kind: 'stream', begin: (stream) => this.#begin(event, stream, lastEventId) };
    } finally {
      this.#joining -= 1;
    }
  }

  #begin(found: LiveEvent, stream: LiveStream, lastEventId: string): void {
    const clients = this.#clients.get(found.id) ?? new LiveClients(found);
    const { event } = clients;
    const first = event.since(event.versionOf(lastEventId));
    stream.write(Buffer.concat([Buffer.from(writeRetry(drawRetryMs())), first]));
    if (first.length > 0) this.#counts.messages += 1;
    if (event.isFinal) stream.end();
    else this.#add(stream, clients);
  }

  #add(stream: LiveStream, clients: LiveClients): void {
    this.#clients.set(clients.event.id, clients);
    this.#events.watch(clients.event);
    const remove = clients.add(stream, this.#now());
    this.#counts.clients += 1;
    this.#timer ??= setInterval(() => this.#turn(), TURN_MS);
    stream.onClosed((closing) => {
      remove();
      this.#counts.clients -= 1;
      if (closing === 'slow') this.#counts.dropped += 1;
      if (clients.count === 0) this.#forget(clients);
    });
  }

  #forget({ event }: LiveClients): void {
    this.#clients.delete(event.id);
    this.#events.unwatch(event);
    if (this.#clients.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #turn(): void {
    this.#events.refresh().then((gone) => {
      for (const { id } of gone) this.#clients.get(id)?.end();
    }, this.#options.onDefect);
    if (this.#options.isInDoubt()) this.#events.doubt();
    this.#tell();
  }

  /** Goes on in another turn of the event loop when there is more to do than one slice. */
  #tell(): void {
    const now = this.#now();
    const slice = Math.min(WRITES_OF_SLICE, this.#pace.allowance(now));
    const left = this.#tellSome(now, slice);
    this.#pace.spend(slice - left);
    if (left === 0 && slice === WRITES_OF_SLICE) setImmediate(() => this.#tell());
  }

  /** Returns how many of so many writes were not needed. */
  #tellSome(now: number, writes: number): number {
    let left = writes;
    for (const clients of [...this.#clients.values()]) {
      if (left === 0) break;
      const isSure = this.#events.isSure(clients.event);
      const { messages, heartbeats } = clients.tell({ now, most: left, isSure });
      this.#counts.messages += messages;
      left -= messages + heartbeats;
      if (messages + heartbeats > 0) this.#serveLast(clients);
    }
    return left;
  }

  #serveLast(clients: LiveClients): void {
    if (this.#clients.delete(clients.event.id) && clients.count > 0)
      this.#clients.set(clients.event.id, clients);
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

function drawRetryMs(): number {
  return RETRY_MS.least + Math.floor(Math.random() * (RETRY_MS.most - RETRY_MS.least));
}
