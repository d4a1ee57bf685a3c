import { NotAccepting, OutcomeUnknown } from '../../engine/domain/fault.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** What a handler answers: `body` is sent as JSON; none with 204. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a `body` that is a text, to be sent as it is. */
  readonly contentType?: string;
}

/** A reply ready for the socket. */
export interface RenderedReply {
  readonly status: string;
  /** Null: the answer never has a body. */
  readonly contentType: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: none, and no Content-Length either, as 204 wants. */
  readonly body: string | null;
  /** The connection is closed after it. */
  readonly close: boolean;
}

const NO_HEADERS = {};

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** Headers of a first success that is told again to a request with the same Idempotency-Key. */
export const REPLAYED = { 'Idempotency-Replayed': 'true' } as const;

const RETRY_AFTER_SECONDS = '1';

/** Renders a handler's answer. */
export function renderReply({ status, body, headers = NO_HEADERS, contentType }: Reply): RenderedReply {
  if (contentType !== undefined)
    return { status: statusLine(status), contentType, headers, body: String(body), close: false };
  return {
    status: statusLine(status),
    contentType: body === undefined ? null : 'application/json',
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    close: false,
  };
}

/** Renders a problem as RFC 9457 asks. */
export function renderProblem(problem: Problem): RenderedReply {
  const { status, title } = PROBLEMS[problem.code];
  const { members = {}, headers = NO_HEADERS } = problem.options;
  const type = `urn:bootakhae:problem:${problem.code}`;
  return {
    status: statusLine(status),
    contentType: 'application/problem+json',
    headers,
    body: JSON.stringify({ type, title, status, detail: problem.message, code: problem.code, ...members }),
    close: false,
  };
}

const refusals = new WeakMap<NotAccepting, RenderedReply>();

/** Renders a refusal, and remembers it: under overload the same one is sent thousands of times a second. */
export function renderRefusal(refusal: NotAccepting): RenderedReply {
  const rendered = refusals.get(refusal) ?? renderProblem(notAccepting(refusal.message));
  refusals.set(refusal, rendered);
  return rendered;
}

/** What the caller is told of an error; null for one that is nobody's business but ours. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof NotAccepting) return notAccepting(error.message);
  if (error instanceof OutcomeUnknown) return new Problem('outcome_unknown', error.message);
  return null;
}

/** A 503: certainly nothing was taken. */
export function notAccepting(detail: string, members: Readonly<Record<string, unknown>> = {}): Problem {
  return new Problem('not_accepting', detail, { members, headers: { 'Retry-After': RETRY_AFTER_SECONDS } });
}

function statusLine(status: number): string {
  return `${status} ${STATUS_TEXTS[status] ?? ''}`;
}
