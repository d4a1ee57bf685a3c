import { NotAccepting, OutcomeUnknown } from '../../engine/domain/fault.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** What a handler answers: `body` is sent as JSON; none with 204. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reply ready for the socket. */
export interface RenderedReply {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Null: none, and no Content-Length either, as 204 wants. */
  readonly body: string | null;
}

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
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const RETRY_AFTER_SECONDS = '1';

/** Renders a handler's answer. */
export function renderReply({ status, body, headers = {} }: Reply): RenderedReply {
  const type = body === undefined ? [] : [['Content-Type', 'application/json'] as const];
  return {
    status: statusLine(status),
    headers: [...type, ...Object.entries(headers)],
    body: body === undefined ? null : JSON.stringify(body),
  };
}

/** Renders a problem as RFC 9457 asks. */
export function renderProblem(problem: Problem): RenderedReply {
  const { status, title } = PROBLEMS[problem.code];
  const { members = {}, headers = {} } = problem.options;
  const type = `urn:bootakhae:problem:${problem.code}`;
  return {
    status: statusLine(status),
    headers: [['Content-Type', 'application/problem+json'], ...Object.entries(headers)],
    body: JSON.stringify({ type, title, status, detail: problem.message, code: problem.code, ...members }),
  };
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
