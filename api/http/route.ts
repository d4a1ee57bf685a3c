import type { TObject, TSchema } from '@sinclair/typebox';
import type { NotAccepting } from '../../engine/domain/fault.ts';
import type { Caller } from '../../engine/token/token.ts';
import type { Reply } from './reply.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** `customer`: any valid token. `operator`: a token of that role. */
export type Access = 'anyone' | 'customer' | 'operator';

/** A request that has passed: authenticated as the route asks, its body read, parsed and checked. */
export interface Request<Body = unknown> {
  /** Path parameters in order, percent-decoded. */
  readonly parameters: readonly string[];
  /** The query parameters that the route takes, those that were given, decoded and checked. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Body;
  /** The token of the Idempotency-Key (`tokenOf`), on a POST that carries one. */
  readonly idempotencyToken: string | undefined;
  /** Who calls; on a route for anyone, nobody in particular. */
  readonly caller: Caller;
  /** Whether nobody waits for the answer any more: the connection is closed, or the answer was given for the handler. */
  readonly isGone: () => boolean;
}

/** One line of the route table. */
export interface Route {
  readonly method: Method;
  /** A path; `:name` stands for one segment. */
  readonly path: string;
  readonly access: Access;
  /** What the body must be; null = none, or an empty object. */
  readonly body: TSchema | null;
  /** The query parameters that it takes, as texts; any other is refused. Absent: a query is not looked at. */
  readonly query?: TObject;
  /** Whether there may be no body at all: it is then read as an empty object. Always so where `body` is null. */
  readonly isBodyOptional?: boolean;
  /** Why every request is refused now, or null: asked before anything else is read of one, so that a refusal is cheap. */
  readonly refusal?: () => NotAccepting | null;
  /** A short way to read most bodies of that shape (`createBodyReader`). */
  readonly readPlain?: (text: string) => unknown;
  handle(request: Request): Promise<Reply>;
}
