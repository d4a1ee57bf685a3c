import uWS, {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
} from 'uWebSockets.js';
import { Type } from '@sinclair/typebox';
import { ConfigError } from '../../engine/config/environment.ts';
import { NotAccepting } from '../../engine/domain/fault.ts';
import { IDEMPOTENCY_KEY_PATTERN, tokenOf } from '../../engine/domain/idempotency.ts';
import type { Logger } from '../../engine/runtime/logger.ts';
import type { Caller } from '../../engine/token/token.ts';
import { type BodyReader, createBodyReader, MAX_BODY_BYTES } from './body.ts';
import { type Exchange, type ExchangeKind, Exchanges, send } from './exchange.ts';
import { invalidRequest, Problem } from './problem.ts';
import { createQueryReader, type QueryReader } from './query.ts';
import {
  notAccepting,
  problemOf,
  type RenderedReply,
  renderProblem,
  renderRefusal,
  renderReply,
} from './reply.ts';
import type { Access, Request, Route } from './route.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  /** Who an Authorization header speaks for. Throws a Problem when that is nobody or not enough. */
  readonly authenticate: (authorization: string, access: Access) => Caller;
  readonly logger: Logger;
  /** A handler that has not answered by then is answered for soon after. Longer than any deadline inside. */
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

const ENCODED = new Problem('unsupported_media_type', 'send the body as it is, without Content-Encoding');
const TOO_LARGE = new Problem('payload_too_large', `a body has at most ${MAX_BODY_BYTES} bytes`);
const BODY_LATE = new Problem('request_timeout', 'the body did not come in time; nothing was done');

/** The same reply, after which the connection is closed. */
function closing(rendered: RenderedReply): RenderedReply {
  return { ...rendered, close: true };
}

/** What is read from a request before its first await: uWebSockets.js forgets it afterwards. */
interface Head {
  readonly authorization: string;
  readonly idempotencyKey: string;
  /** Method and path; read only where there is an idempotency key. */
  readonly target: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly parameters: readonly string[];
  /** Read only where the route takes any. */
  readonly query: string;
}

/**
 * The HTTP server: the only one that touches uWebSockets.js, whose rules it keeps. A response is written inside
 * `cork`, never after `onAborted`, and always once; the body is copied before its callback returns.
 */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #app: TemplatedApp;
  readonly #exchanges: Exchanges;
  #listener: us_listen_socket | null = null;
  #draining = false;
  #url: string | null = null;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#exchanges = new Exchanges({ deadlineMs: options.replyDeadlineMs, late: renderLate });
    this.#app = uWS.App();
    for (const route of options.routes) this.#register(route);
    this.#refuseOtherMethods();
    this.#app.any('/*', (res, req) => refuse(res, req, new Problem('not_found', 'no such path')));
  }

  /** Where it answers; null until it listens. */
  get url(): string | null {
    return this.#url;
  }

  /** Listens on host and port (0 = any free one); resolves to the port. Rejects when it is taken. */
  listen(host: string, port: number): Promise<number> {
    const listen = this.#app.listen as unknown as ListenExclusively;
    return new Promise((resolve, reject) => {
      listen.call(this.#app, host, port, EXCLUSIVE_PORT, (listener) => {
        if (!listener)
          return reject(new ConfigError(`cannot listen on ${host}:${port}: is the port taken? (HOST, PORT)`));
        this.#listener = listener;
        const bound = uWS.us_socket_local_port(listener);
        this.#url = `http://${host}:${bound}`;
        resolve(bound);
      });
    });
  }

  /** Takes no request from now on; resolves when every one taken before has its answer and all sockets are closed. */
  async drain(): Promise<void> {
    if (this.#listener) uWS.us_listen_socket_close(this.#listener);
    this.#listener = null;
    this.#draining = true;
    await this.#exchanges.untilNone();
    this.#app.close();
  }

  #register(route: Route): void {
    const names = route.path.split('/').filter((segment) => segment.startsWith(':'));
    const readBody = bodyReaderOf(route);
    const kind = { readOnly: route.method === 'get', bodiless: false };
    const readQuery = route.query ? createQueryReader(route.query) : null;
    const bound = { route, names, readBody, readQuery, kind };
    const take = (res: HttpResponse, req: HttpRequest) => this.#take(bound, res, req);
    const register = { get: 'get', post: 'post', put: 'put', patch: 'patch', delete: 'del' } as const;
    this.#app[register[route.method]](route.path, take);
    if (route.method !== 'get') return;
    this.#app.head(route.path, (res, req) =>
      this.#take({ ...bound, kind: { ...kind, bodiless: true } }, res, req),
    );
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

  #take(bound: BoundRoute, res: HttpResponse, req: HttpRequest): void {
    if (this.#draining) {
      send(res, closing(renderProblem(notAccepting('this process is shutting down'))));
      return;
    }
    const { route, readBody, readQuery } = bound;
    const refusal = route.refusal?.();
    if (refusal) {
      send(res, renderRefusal(refusal));
      return;
    }
    const head = readHead(bound, req);
    const exchange = this.#exchanges.begin(res, bound.kind);
    if (!readBody) {
      void this.#answer(exchange, route, () =>
        this.#request(exchange, { head, route, readQuery, bytes: NO_BODY }),
      );
      return;
    }
    exchange.awaitsBody = true;
    collectBody(res, (bytes) => {
      exchange.awaitsBody = false;
      void this.#answer(exchange, route, () => {
        if (!bytes) throw TOO_LARGE;
        return this.#request(exchange, { head, route, readQuery, bytes, readBody });
      });
    });
  }

  /** Who may not ask is told so before what is wrong with the question. */
  #request(exchange: Exchange, { head, route, bytes, readQuery, readBody }: Received): Request {
    const caller = this.#options.authenticate(head.authorization, route.access);
    const idempotencyToken = head.target === '' ? undefined : readIdempotencyToken(head, caller, bytes);
    const parameters = head.parameters.map(decodeParameter);
    const query = readQuery ? readQuery(head.query) : NO_QUERY;
    const isLeftOut = bytes.length === 0 && (route.body === null || route.isBodyOptional === true);
    const body = isLeftOut ? {} : readBody && readEncoded(readBody, head, bytes);
    return { parameters, query, body, idempotencyToken, caller, isGone: () => exchange.isOver };
  }

  async #answer(exchange: Exchange, route: Route, prepare: () => Request): Promise<void> {
    try {
      exchange.reply(renderReply(await route.handle(prepare())));
    } catch (error) {
      const rendered = this.#render(error, route);
      // The rest of a body that is too large is not waited for.
      exchange.reply(error === TOO_LARGE ? closing(rendered) : rendered);
    }
  }

  #render(error: unknown, route: Route): RenderedReply {
    if (error instanceof NotAccepting) return renderRefusal(error);
    return renderProblem(problemOf(error) ?? this.#internalError(error, route));
  }

  #internalError(error: unknown, route: Route): Problem {
    this.#options.logger.error({ err: error, method: route.method, path: route.path }, 'request failed');
    return new Problem(
      'internal_error',
      'the request could not be answered; the log of this process says why',
    );
  }
}

const NO_BODY = Buffer.alloc(0);
const NO_QUERY = {};
const NOTHING = Type.Object({}, { additionalProperties: false });

interface Received {
  readonly head: Head;
  readonly route: Route;
  readonly bytes: Buffer;
  readonly readQuery: QueryReader | null;
  readonly readBody?: BodyReader;
}

interface BoundRoute {
  readonly route: Route;
  readonly names: readonly string[];
  readonly readBody: BodyReader | null;
  readonly readQuery: QueryReader | null;
  readonly kind: ExchangeKind;
}

/** What changes something reads its body even where it takes none: nobody should believe that it counted. */
function bodyReaderOf({ body, method, readPlain }: Route): BodyReader | null {
  if (body) return createBodyReader(body, readPlain);
  return method === 'post' ? createBodyReader(NOTHING) : null;
}

function readHead({ route, names, readBody, readQuery }: BoundRoute, req: HttpRequest): Head {
  // Every POST may carry a key; what is asked is the path and the bytes of the body.
  const idempotencyKey = route.method === 'post' ? req.getHeader('idempotency-key') : '';
  return {
    authorization: req.getHeader('authorization'),
    idempotencyKey,
    target: idempotencyKey === '' ? '' : `${route.method} ${req.getUrl()}`,
    contentType: readBody ? req.getHeader('content-type') : '',
    contentEncoding: readBody ? req.getHeader('content-encoding') : '',
    parameters: names.map((_, index) => req.getParameter(index) ?? ''),
    query: readQuery ? (req.getQuery() ?? '') : '',
  };
}

function readEncoded(readBody: BodyReader, { contentType, contentEncoding }: Head, bytes: Buffer): unknown {
  if (!/^(identity)?$/i.test(contentEncoding)) throw ENCODED;
  return readBody(contentType, bytes);
}

/** A HEAD gets no body: the caller would take its bytes for the next answer. */
function refuse(res: HttpResponse, req: HttpRequest, problem: Problem): void {
  const rendered = renderProblem(problem);
  send(res, req.getMethod() === 'head' ? { ...rendered, body: null } : rendered);
}

/**
 * Calls back once with the whole body, or with null as soon as it is too large. The bytes may be gone when `done`
 * returns: what is kept of them has to be copied.
 */
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
    const part = Buffer.from(chunk);
    if (isLast) {
      const body = chunks.length === 0 ? part : Buffer.concat([...chunks, part]);
      chunks = null;
      return done(body);
    }
    chunks.push(Buffer.from(part)); // copied: uWebSockets.js takes the chunk's memory back
  });
}

function readIdempotencyToken(head: Head, { user }: Caller, body: Buffer): string {
  const { idempotencyKey: key, target } = head;
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

/** What is told to who waited for too long. Only a request that came whole can have changed something. */
function renderLate({ awaitsBody, readOnly }: Exchange): RenderedReply {
  if (awaitsBody) return closing(renderProblem(BODY_LATE));
  if (readOnly) return renderProblem(notAccepting('the answer took too long'));
  return renderProblem(
    new Problem('outcome_unknown', 'the answer took too long: whether it was done is not known'),
  );
}
