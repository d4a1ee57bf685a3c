import type { TSchema } from '@sinclair/typebox';

/** Every code an error reply can carry, with its status and title. The contract lists what each means. */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'A valid token is needed' },
  forbidden: { status: 403, title: 'This token may not do that' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This path does not take that method' },
  request_timeout: { status: 408, title: 'The request did not come in time' },
  order_state: { status: 409, title: 'The order is past that' },
  event_overlap: { status: 409, title: 'Another sale event has the product at that time' },
  event_state: { status: 409, title: 'The event is past that' },
  limit_exceeded: { status: 409, title: 'More than one customer may have' },
  price_changed: { status: 409, title: 'The price is another by now' },
  out_of_stock: { status: 409, title: 'Not enough in stock' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  unknown_product: { status: 422, title: 'A product does not exist' },
  empty_wishlist: { status: 422, title: 'There is nothing on the wishlist' },
  idempotency_mismatch: { status: 422, title: 'This Idempotency-Key was used for something else' },
  wishlist_full: { status: 422, title: 'The wishlist is full' },
  internal_error: { status: 500, title: 'Something broke on our side' },
  not_accepting: { status: 503, title: 'Not accepting requests at the moment' },
  outcome_unknown: { status: 504, title: 'Whether it was done is not known yet' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

export interface ProblemOptions {
  /** Further members of the reply, as the contract names them. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error reply by RFC 9457 (application/problem+json). `message` becomes its `detail`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    this.options = options;
  }
}

export interface FieldError {
  /** A JSON pointer into the body, or the name of a path or query parameter. */
  readonly path: string;
  readonly message: string;
}

/** Errors that a 400 names at most: a body of a megabyte could hold a hundred thousand. */
export const MAX_ERRORS = 20;

/** An error and, where a schema found it, that schema: its `rule` says for people what the value must be. */
type FoundError = FieldError & { readonly schema?: TSchema };

/** At most `MAX_ERRORS`, one a path, in order. */
export function firstOfEachPath(...sources: Iterable<FoundError>[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const source of sources) {
    for (const { path, message, schema } of source) {
      if (errors.length === MAX_ERRORS) return errors;
      if (errors.some((error) => error.path === path)) continue;
      errors.push({ path, message: schema?.rule ?? message });
    }
  }
  return errors;
}

/** A 422: the same Idempotency-Key with another body or path. */
export function idempotencyMismatch(): Problem {
  return new Problem(
    'idempotency_mismatch',
    'send the request that this key was first used for, or another key',
  );
}

/** A 400 that names every value that is wrong. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const detail = errors.map(({ path, message }) => `${path || 'body'}: ${message}`).join('; ');
  return new Problem('invalid_request', detail, { members: { errors } });
}
