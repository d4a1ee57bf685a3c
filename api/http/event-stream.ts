import type { HttpResponse } from 'uWebSockets.js';
import { type Exchange, writeHead } from './exchange.ts';
import type { RenderedReply } from './reply.ts';

/** An answer that goes on: server-sent events, until either side ends it. */
export interface EventStreamReply {
  /** Takes the stream over; what it writes at once goes out with the head. Never called for a HEAD. */
  readonly stream: (stream: EventStream) => void;
}

/** `ended` by us, `slow`: dropped by us because it did not read, `gone`: its caller left, or the connection broke. */
export type StreamClosing = 'ended' | 'slow' | 'gone';

/**
 * What may wait in this process for a reader, beside one message and what the operating system keeps for the socket.
 * Whoever has more waiting is dropped: what it would read by then is old, and when it comes back it gets what is true.
 */
const MAX_UNREAD_BYTES = 65_536;

/** A comment, which a reader skips: its write tells whether all that was written before it has left this process. */
const PROBE = Buffer.from(':\n');

const HEAD: RenderedReply = {
  status: '200 OK',
  contentType: 'text/event-stream',
  // A proxy that keeps the stream back, or keeps it for the next one, would tell old stock.
  headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  body: null,
  close: false,
};

/** One caller's stream of server-sent events. What is written is never waited for, and never piles up. */
export class EventStream {
  #res: HttpResponse | null;
  readonly #over: (stream: EventStream, closing: StreamClosing) => void;
  #unread = 0;
  #onClosed: (closing: StreamClosing) => void = () => undefined;

  constructor(res: HttpResponse, over: (stream: EventStream, closing: StreamClosing) => void) {
    this.#res = res;
    this.#over = over;
    res.onAborted(() => this.#close('gone'));
  }

  /** `listener` is called once, when the stream is over, whoever ended it. */
  onClosed(listener: (closing: StreamClosing) => void): void {
    this.#onClosed = listener;
  }

  /** Writes whole messages (bytes as they go over the wire); nothing happens when the stream is over. */
  write(messages: Buffer): void {
    this.#res?.cork(() => this.#write(messages));
  }

  /**
   * Ends the stream in order, after what was written. Its connection stays: uWebSockets.js, told to close it, writes a header
   * into the middle of the body.
   */
  end(): void {
    const res = this.#res;
    if (!res) return;
    this.#close('ended');
    res.cork(() => res.end());
  }

  /**
   * A write says false when something written before it, or a part of itself, is still here. So the sum of those since the last
   * true is the most that can be waiting.
   */
  #write(messages: Buffer): void {
    const res = this.#res!;
    if (this.#unread > 0 && res.write(PROBE)) this.#unread = 0;
    if (this.#unread > MAX_UNREAD_BYTES) {
      this.#close('slow');
      res.close();
    } else if (!res.write(messages)) this.#unread += messages.length;
  }

  #close(closing: StreamClosing): void {
    if (!this.#res) return;
    this.#res = null;
    this.#over(this, closing);
    this.#onClosed(closing);
  }
}

/** All streams that are open. */
export class EventStreams {
  readonly #open = new Set<EventStream>();

  /** Answers with a stream, unless the caller has gone meanwhile. */
  begin(exchange: Exchange, { stream }: EventStreamReply): void {
    if (exchange.bodiless) {
      exchange.reply(HEAD);
      return;
    }
    const res = exchange.handOver();
    if (!res) return;
    const begun = new EventStream(res, (over) => this.#open.delete(over));
    this.#open.add(begun);
    res.cork(() => {
      writeHead(res, HEAD);
      stream(begun);
    });
  }

  /** Ends all of them at once. */
  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}
