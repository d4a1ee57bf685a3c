import type { TSchema } from '@sinclair/typebox';
import type { Caller } from '../../engine/token/token.ts';
import type { Reply } from './reply.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

/** `customer`: any valid token. `operator`: a token of that role. */
export type Access = 'anyone' | 'customer' | 'operator';

/** A request that has passed: authenticated as the route asks, its body read, parsed and checked. */
export interface Request<Body = unknown> {
  /** Path parameters in order, percent-decoded. */
  readonly parameters: readonly string[];
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
  /** What the body must be; null = a body is not read. */
  readonly body: TSchema | null;
  handle(request: Request): Promise<Reply>;
}
