import uWS, {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
} from 'uWebSockets.js';
import { ConfigError } from '../../engine/config/environment.ts';
import { IDEMPOTENCY_KEY_PATTERN, tokenOf } from '../../engine/domain/idempotency.ts';
import type { Logger } from '../../engine/runtime/logger.ts';
import type { Caller } from '../../engine/token/token.ts';
import { type BodyReader, createBodyReader, MAX_BODY_BYTES } from './body.ts';
import { invalidRequest, Problem } from './problem.ts';
import { notAccepting, problemOf, type RenderedReply, renderProblem, renderReply } from './reply.ts';
import type { Access, Method, Request, Route } from './route.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  /** Who an Authorization header speaks for. Throws a Problem when that is nobody or not enough. */
  readonly authenticate: (authorization: string, access: Access) => Caller;
  readonly logger: Logger;
  /** A handler that has not answered by then is answered for. Longer than any deadline inside. */
  readonly replyDeadlineMs: number;
}

/** Without it two processes could listen on one port, each getting some of the requests. */
const EXCLUSIVE_PORT = 1; // LIBUS_LISTEN_EXCLUSIVE_PORT, which the package's type declarations leave out
type ListenExclusively = (
  this: TemplatedApp,
  host: string,
  port: number,
  options: number,
  done: (listener: us_listen_socket | false) => void,
) => void;

const CLOSE = ['Connection', 'close'] as const;
const ENCODED = new Problem('unsupported_media_type', 'send the body as it is, without Content-Encoding');
const TOO_LARGE = new Problem('payload_too_large', `a body has at most ${MAX_BODY_BYTES} bytes`);

/** The same reply, after which the connection is closed. */
function closing(rendered: RenderedReply): RenderedReply {
  return { ...rendered, headers: [...rendered.headers, CLOSE] };
}

/** What is read from a request before its first await: uWebSockets.js forgets it afterwards. */
interface Head {
  readonly method: Method;
  readonly target: string;
  readonly authorization: string;
  readonly idempotencyKey: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly parameters: readonly string[];
}

/**
 * The HTTP server: the only one that touches uWebSockets.js, whose rules it keeps. A response is written inside
 * `cork`, never after `onAborted`, and always once; the body is copied before its callback returns.
 */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #app: TemplatedApp;
  #listener: us_listen_socket | null = null;
  #pending = 0;
  #draining: (() => void) | null = null;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#app = uWS.App();
    for (const route of options.routes) this.#register(route);
    this.#refuseOtherMethods();
    this.#app.any('/*', (res, req) => refuse(res, req, new Problem('not_found', 'no such path')));
  }

  /** Listens on host and port (0 = any free one); resolves to the port. Rejects when it is taken. */
  listen(host: string, port: number): Promise<number> {
    const listen = this.#app.listen as unknown as ListenExclusively;
    return new Promise((resolve, reject) => {
      listen.call(this.#app, host, port, EXCLUSIVE_PORT, (listener) => {
        if (!listener)
          return reject(new ConfigError(`cannot listen on ${host}:${port}: is the port taken? (HOST, PORT)`));
        this.#listener = listener;
        resolve(uWS.us_socket_local_port(listener));
      });
    });
  }

  /** Takes no request from now on; resolves when every one taken before has its answer and all sockets are closed. */
  async drain(): Promise<void> {
    if (this.#listener) uWS.us_listen_socket_close(this.#listener);
    this.#listener = null;
    await new Promise<void>((resolve) => {
      this.#draining = resolve;
      if (this.#pending === 0) resolve();
    });
    this.#app.close();
  }

  #register(route: Route): void {
    const names = route.path.split('/').filter((segment) => segment.startsWith(':'));
    const readBody = route.body && createBodyReader(route.body);
    const bound = { route, names, readBody, bodiless: false };
    const take = (res: HttpResponse, req: HttpRequest) => this.#take(bound, res, req);
    const register = { get: 'get', post: 'post', put: 'put', delete: 'del' } as const;
    this.#app[register[route.method]](route.path, take);
    if (route.method !== 'get') return;
    this.#app.head(route.path, (res, req) => this.#take({ ...bound, bodiless: true }, res, req));
  }

  #refuseOtherMethods(): void {
    for (const path of new Set(this.#options.routes.map((route) => route.path))) {
      const methods = this.#options.routes
        .filter((route) => route.path === path)
        .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
      const allow = methods.join(', ');
      const problem = new Problem('method_not_allowed', `this path takes ${allow}`, {
        headers: { Allow: allow },
      });
      this.#app.any(path, (res, req) => refuse(res, req, problem));
    }
  }

  #take({ route, names, readBody, bodiless }: BoundRoute, res: HttpResponse, req: HttpRequest): void {
    if (this.#draining) {
      send(res, closing(renderProblem(notAccepting('this process is shutting down'))));
      return;
    }
    const head: Head = {
      method: route.method,
      target: `${route.method} ${req.getUrl()}`,
      authorization: req.getHeader('authorization'),
      idempotencyKey: req.getHeader('idempotency-key'),
      contentType: req.getHeader('content-type'),
      contentEncoding: req.getHeader('content-encoding'),
      parameters: names.map((_, index) => req.getParameter(index) ?? ''),
    };
    const exchange = new Exchange(res, { bodiless, finished: () => this.#finished() });
    this.#pending += 1;
    if (!readBody) {
      void this.#answer(exchange, route, () => this.#request(exchange, { head, route, body: NO_BODY }));
      return;
    }
    collectBody(res, (body) => {
      void this.#answer(exchange, route, () => {
        if (!body) throw TOO_LARGE;
        // Who may not ask is told so before what is wrong with the question.
        const request = this.#request(exchange, { head, route, body });
        if (!/^(identity)?$/i.test(head.contentEncoding)) throw ENCODED;
        return { ...request, body: readBody(head.contentType, body) };
      });
    });
  }

  #request(exchange: Exchange, { head, route, body }: Received): Request {
    const caller = this.#options.authenticate(head.authorization, route.access);
    const idempotencyToken = readIdempotencyToken(head, caller, body);
    const parameters = head.parameters.map(decodeParameter);
    return { parameters, body: undefined, idempotencyToken, caller, isGone: () => exchange.isOver };
  }

  async #answer(exchange: Exchange, route: Route, prepare: () => Request): Promise<void> {
    const timer = setTimeout(
      () => exchange.reply(renderProblem(lateFor(route.method))),
      this.#options.replyDeadlineMs,
    );
    try {
      exchange.reply(renderReply(await route.handle(prepare())));
    } catch (error) {
      const rendered = renderProblem(problemOf(error) ?? this.#internalError(error, route));
      // The rest of a body that is too large is not waited for.
      exchange.reply(error === TOO_LARGE ? closing(rendered) : rendered);
    } finally {
      clearTimeout(timer);
    }
  }

  #internalError(error: unknown, route: Route): Problem {
    this.#options.logger.error({ err: error, method: route.method, path: route.path }, 'request failed');
    return new Problem(
      'internal_error',
      'the request could not be answered; the log of this process says why',
    );
  }

  #finished(): void {
    this.#pending -= 1;
    if (this.#draining && this.#pending === 0) this.#draining();
  }
}

const NO_BODY = Buffer.alloc(0);

interface Received {
  readonly head: Head;
  readonly route: Route;
  readonly body: Buffer;
}

interface BoundRoute {
  readonly route: Route;
  readonly names: readonly string[];
  readonly readBody: BodyReader | null;
  /** HEAD: everything but the body. */
  readonly bodiless: boolean;
}

/** One request's response: answered at most once, never after the caller has gone. */
class Exchange {
  readonly #res: HttpResponse;
  readonly #options: ExchangeOptions;
  #over = false;

  constructor(res: HttpResponse, options: ExchangeOptions) {
    this.#res = res;
    this.#options = options;
    res.onAborted(() => this.#end());
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

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.finished();
  }
}

interface ExchangeOptions {
  readonly bodiless: boolean;
  /** Called once: answered, or the caller has gone. */
  readonly finished: () => void;
}

/** A HEAD gets no body: the caller would take its bytes for the next answer. */
function refuse(res: HttpResponse, req: HttpRequest, problem: Problem): void {
  const rendered = renderProblem(problem);
  send(res, req.getMethod() === 'head' ? { ...rendered, body: null } : rendered);
}

function send(res: HttpResponse, { status, headers, body }: RenderedReply): void {
  res.cork(() => {
    res.writeStatus(status);
    for (const [name, value] of headers) res.writeHeader(name, value);
    // Without a length: uWebSockets.js ends the process when it is told one here.
    if (body === null) res.endWithoutBody();
    else res.end(body, headers.includes(CLOSE));
  });
}

/** Calls back once with the whole body, or with null as soon as it is too large. */
function collectBody(res: HttpResponse, done: (body: Buffer | null) => void): void {
  let chunks: Buffer[] | null = [];
  let bytes = 0;
  res.onData((chunk, isLast) => {
    if (!chunks) return;
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      chunks = null;
      return done(null);
    }
    chunks.push(Buffer.from(Buffer.from(chunk))); // copied: uWebSockets.js takes the chunk's memory back
    if (!isLast) return;
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    chunks = null;
    done(body);
  });
}

/** Every POST may carry a key; what is asked is the path and the bytes of the body. */
function readIdempotencyToken(head: Head, { user }: Caller, body: Buffer): string | undefined {
  const { idempotencyKey: key, method, target } = head;
  if (method !== 'post' || key === '') return undefined;
  if (IDEMPOTENCY_KEY_PATTERN.test(key)) return tokenOf({ user, key, target, body });
  throw invalidRequest([{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }]);
}

function decodeParameter(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalidRequest([{ path: raw, message: 'is not percent-encoded UTF-8' }]);
  }
}

function lateFor(method: Method): Problem {
  if (method === 'get') return notAccepting('the answer took too long');
  return new Problem('outcome_unknown', 'the answer took too long: whether it was done is not known');
}
