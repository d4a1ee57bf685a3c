import uWS, {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
} from 'uWebSockets.js';
import { ConfigError } from '../../engine/config/environment.ts';
import { NotAccepting } from '../../engine/domain/fault.ts';
import type { Logger } from '../../engine/runtime/logger.ts';
import type { Caller } from '../../engine/token/token.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { type EventStreamReply, EventStreams } from './event-stream.ts';
import { type Exchange, type ExchangeKind, Exchanges, send } from './exchange.ts';
import { Problem } from './problem.ts';
import {
  notAccepting,
  problemOf,
  type RenderedReply,
  type Reply,
  renderProblem,
  renderRefusal,
  renderReply,
} from './reply.ts';
import {
  type AnyRoute,
  type BoundRoute,
  bindRoute,
  collectBody,
  type Received,
  readHead,
  readRequest,
} from './request-reader.ts';
import type { Access, Request } from './route.ts';

export interface ServerOptions {
  readonly routes: readonly AnyRoute[];
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

const TOO_LARGE = new Problem('payload_too_large', `a body has at most ${MAX_BODY_BYTES} bytes`);
const SHUTTING_DOWN = notAccepting('this process is shutting down');
const BODY_LATE = new Problem('request_timeout', 'the body did not come in time; nothing was done');

/** The same reply, after which the connection is closed. */
function closing(rendered: RenderedReply): RenderedReply {
  return { ...rendered, close: true };
}

/**
 * The HTTP server: the only one that touches uWebSockets.js, whose rules it keeps. A response is written inside
 * `cork`, never after `onAborted`, and always once; the body is copied before its callback returns.
 */
export class HttpServer {
  readonly #options: ServerOptions;
  readonly #app: TemplatedApp;
  readonly #exchanges: Exchanges;
  readonly #streams = new EventStreams();
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

  /**
   * Takes no request from now on, and ends all streams; resolves when every request taken before has its answer and all
   * sockets are closed.
   */
  async drain(): Promise<void> {
    if (this.#listener) uWS.us_listen_socket_close(this.#listener);
    this.#listener = null;
    this.#draining = true;
    this.#streams.endAll();
    await this.#exchanges.untilNone();
    this.#app.close();
  }

  #register(route: AnyRoute): void {
    const bound = bindRoute(route);
    const kind = { readOnly: route.method === 'get', bodiless: false };
    const take = (res: HttpResponse, req: HttpRequest) => this.#take({ bound, kind }, res, req);
    const register = { get: 'get', post: 'post', put: 'put', patch: 'patch', delete: 'del' } as const;
    this.#app[register[route.method]](route.path, take);
    if (route.method !== 'get') return;
    this.#app.head(route.path, (res, req) =>
      this.#take({ bound, kind: { ...kind, bodiless: true } }, res, req),
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

  #take({ bound, kind }: Taken, res: HttpResponse, req: HttpRequest): void {
    if (this.#draining) {
      send(res, closing(renderProblem(SHUTTING_DOWN)));
      return;
    }
    const { route, readBody } = bound;
    const refusal = route.refusal?.();
    if (refusal) {
      send(res, renderRefusal(refusal));
      return;
    }
    const head = readHead(bound, req);
    const exchange = this.#exchanges.begin(res, kind);
    if (!readBody) {
      void this.#answer(exchange, route, () => this.#request(exchange, { head, bound, bytes: NO_BODY }));
      return;
    }
    exchange.awaitsBody = true;
    collectBody(res, (bytes) => {
      exchange.awaitsBody = false;
      void this.#answer(exchange, route, () => {
        if (!bytes) throw TOO_LARGE;
        return this.#request(exchange, { head, bound, bytes });
      });
    });
  }

  /** Who may not ask is told so before what is wrong with the question. */
  #request(exchange: Exchange, received: Received): Request {
    const caller = this.#options.authenticate(received.head.authorization, received.bound.route.access);
    return readRequest(received, { caller, isGone: () => exchange.isOver });
  }

  async #answer(exchange: Exchange, route: AnyRoute, prepare: () => Request): Promise<void> {
    try {
      if ('handleStream' in route) this.#stream(exchange, await route.handleStream(prepare()));
      else exchange.reply(renderReply(await route.handle(prepare())));
    } catch (error) {
      const rendered = this.#render(error, route);
      // The rest of a body that is too large is not waited for.
      exchange.reply(error === TOO_LARGE ? closing(rendered) : rendered);
    }
  }

  #stream(exchange: Exchange, answer: Reply | EventStreamReply): void {
    if (!('stream' in answer)) exchange.reply(renderReply(answer));
    else if (this.#draining) exchange.reply(closing(renderProblem(SHUTTING_DOWN)));
    else this.#streams.begin(exchange, answer);
  }

  #render(error: unknown, route: AnyRoute): RenderedReply {
    if (error instanceof NotAccepting) return renderRefusal(error);
    return renderProblem(problemOf(error) ?? this.#internalError(error, route));
  }

  #internalError(error: unknown, route: AnyRoute): Problem {
    this.#options.logger.error({ err: error, method: route.method, path: route.path }, 'request failed');
    return new Problem(
      'internal_error',
      'the request could not be answered; the log of this process says why',
    );
  }
}

const NO_BODY = Buffer.alloc(0);

/** By which route a request came, and what its answer must be like. */
interface Taken {
  readonly bound: BoundRoute;
  readonly kind: ExchangeKind;
}

/** A HEAD gets no body: the caller would take its bytes for the next answer. */
function refuse(res: HttpResponse, req: HttpRequest, problem: Problem): void {
  const rendered = renderProblem(problem);
  send(res, req.getMethod() === 'head' ? { ...rendered, body: null } : rendered);
}

/** What is told to who waited for too long. Only a request that came whole can have changed something. */
function renderLate({ awaitsBody, readOnly }: Exchange): RenderedReply {
  if (awaitsBody) return closing(renderProblem(BODY_LATE));
  if (readOnly) return renderProblem(notAccepting('the answer took too long'));
  return renderProblem(
    new Problem('outcome_unknown', 'the answer took too long: whether it was done is not known'),
  );
}
