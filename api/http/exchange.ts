import type { HttpResponse } from 'uWebSockets.js';
import type { RenderedReply } from './reply.ts';

/** How late past its deadline a request may be answered for: requests are looked at this often. */
const LOOK_EVERY_MS = 250;

export interface ExchangesOptions {
  /** A request that has no answer after so long is answered for. */
  readonly deadlineMs: number;
  /** What it is answered. */
  readonly late: (exchange: Exchange) => RenderedReply;
}

/**
 * All requests that wait for their answer, in the order in which they came. All have the same time, so the first is
 * the next to be late, and one timer serves all: one each cost 0.5 µs a request.
 */
export class Exchanges {
  readonly #open = new Set<Exchange>();
  readonly #timer: NodeJS.Timeout;
  #whenNone: (() => void) | null = null;

  constructor({ deadlineMs, late }: ExchangesOptions) {
    this.#timer = setInterval(() => {
      const due = performance.now() - deadlineMs;
      for (const exchange of this.#open) {
        if (exchange.startedAt > due) break;
        exchange.reply(late(exchange));
      }
    }, LOOK_EVERY_MS).unref();
  }

  /** A request has come; `bodiless`: its answer must have no body (HEAD). */
  begin(res: HttpResponse, { readOnly, bodiless }: ExchangeKind): Exchange {
    const exchange = new Exchange(res, { readOnly, bodiless, over: this.#over });
    this.#open.add(exchange);
    return exchange;
  }

  /** Resolves when every request has its answer, or nobody waits for it any more. No other may begin. */
  async untilNone(): Promise<void> {
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenNone = resolve;
      });
    }
    clearInterval(this.#timer);
  }

  readonly #over = (exchange: Exchange): void => {
    this.#open.delete(exchange);
    if (this.#open.size === 0) this.#whenNone?.();
  };
}

export interface ExchangeKind {
  /** Nothing is changed by it, whatever becomes of its answer. */
  readonly readOnly: boolean;
  /** HEAD: everything but the body. */
  readonly bodiless: boolean;
}

interface ExchangeOptions extends ExchangeKind {
  /** Called once: answered, or the caller has gone. */
  readonly over: (exchange: Exchange) => void;
}

/** One request's response: answered at most once, never after the caller has gone. */
export class Exchange {
  /** `performance.now()` when the request came. */
  readonly startedAt = performance.now();
  readonly #res: HttpResponse;
  readonly #options: ExchangeOptions;
  /** Its body is still to come: whatever it asks for, nothing was done about it. */
  awaitsBody = false;
  #over = false;

  constructor(res: HttpResponse, options: ExchangeOptions) {
    this.#res = res;
    this.#options = options;
    res.onAborted(() => this.#end());
  }

  get readOnly(): boolean {
    return this.#options.readOnly;
  }

  get bodiless(): boolean {
    return this.#options.bodiless;
  }

  /** Answered, or its caller has gone. */
  get isOver(): boolean {
    return this.#over;
  }

  reply(rendered: RenderedReply): void {
    if (this.#over) return;
    send(this.#res, this.#options.bodiless ? { ...rendered, body: null } : rendered);
    this.#end();
  }

  /**
   * Gives the response away to who answers it from now on, and over a time of its own: no deadline holds for it any more. Null
   * when it is over already.
   */
  handOver(): HttpResponse | null {
    if (this.#over) return null;
    this.#end();
    return this.#res;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.over(this);
  }
}

const sentByClass = [0, 0, 0, 0, 0, 0];

/** Responses that this process has sent, by class of status: `2xx`, `4xx`, `5xx`. */
export function responsesByClass(): ReadonlyMap<string, number> {
  return new Map([2, 4, 5].map((digit) => [`${digit}xx`, sentByClass[digit]!]));
}

const ZERO = 0x30;

/** Writes the head of a response, inside `cork`. */
export function writeHead(res: HttpResponse, { status, contentType, headers, close }: RenderedReply): void {
  sentByClass[status.charCodeAt(0) - ZERO]! += 1;
  res.writeStatus(status);
  if (contentType !== null) res.writeHeader('Content-Type', contentType);
  for (const name in headers) res.writeHeader(name, headers[name]!);
  if (close) res.writeHeader('Connection', 'close');
}

/** Writes a whole response, which nobody has answered yet. */
export function send(res: HttpResponse, rendered: RenderedReply): void {
  const { body, close } = rendered;
  res.cork(() => {
    writeHead(res, rendered);
    // Without a length: uWebSockets.js ends the process when it is told one here.
    if (body === null) res.endWithoutBody();
    else res.end(body, close);
  });
}
