import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { Type } from '@sinclair/typebox';
import { IDEMPOTENCY_KEY_PATTERN, tokenOf } from '../../engine/domain/idempotency.ts';
import type { Caller } from '../../engine/token/token.ts';
import { type BodyReader, createBodyReader, MAX_BODY_BYTES } from './body.ts';
import { invalidRequest, Problem } from './problem.ts';
import { createQueryReader, type QueryReader } from './query.ts';
import type { Request, Route, StreamRoute } from './route.ts';

export type AnyRoute = Route | StreamRoute;

/** A route with what reads its requests. */
export interface BoundRoute {
  readonly route: AnyRoute;
  /** Of the path's parameters. */
  readonly names: readonly string[];
  readonly readBody: BodyReader | null;
  readonly readQuery: QueryReader | null;
}

/** What is read from a request before its first await: uWebSockets.js forgets it afterwards. */
export interface Head {
  readonly authorization: string;
  readonly idempotencyKey: string;
  /** Method and path; read only where there is an idempotency key. */
  readonly target: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly lastEventId: string;
  readonly parameters: readonly string[];
  /** Read only where the route takes any. */
  readonly query: string;
}

/** A request that came whole. */
export interface Received {
  readonly head: Head;
  readonly bound: BoundRoute;
  /** Empty where its body is not read. */
  readonly bytes: Buffer;
}

const ENCODED = new Problem('unsupported_media_type', 'send the body as it is, without Content-Encoding');
const NO_QUERY = {};
const NOTHING = Type.Object({}, { additionalProperties: false });

export function bindRoute(route: AnyRoute): BoundRoute {
  const names = route.path.split('/').filter((segment) => segment.startsWith(':'));
  const readQuery = route.query ? createQueryReader(route.query) : null;
  return { route, names, readBody: bodyReaderOf(route), readQuery };
}

/** Must be called before the first await. */
export function readHead({ route, names, readBody, readQuery }: BoundRoute, req: HttpRequest): Head {
  // Every POST may carry a key; what is asked is the path and the bytes of the body.
  const idempotencyKey = route.method === 'post' ? req.getHeader('idempotency-key') : '';
  return {
    authorization: req.getHeader('authorization'),
    idempotencyKey,
    target: idempotencyKey === '' ? '' : `${route.method} ${req.getUrl()}`,
    contentType: readBody ? req.getHeader('content-type') : '',
    contentEncoding: readBody ? req.getHeader('content-encoding') : '',
    lastEventId: 'handleStream' in route ? req.getHeader('last-event-id') : '',
    parameters: names.map((_, index) => req.getParameter(index) ?? ''),
    query: readQuery ? (req.getQuery() ?? '') : '',
  };
}

/**
 * Calls back once with the whole body, or with null as soon as it is too large. The bytes may be gone when `done`
 * returns: what is kept of them has to be copied.
 */
export function collectBody(res: HttpResponse, done: (body: Buffer | null) => void): void {
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

/** What the handler is given. Throws a Problem that says what is wrong with the request. */
export function readRequest(
  { head, bound, bytes }: Received,
  { caller, isGone }: Pick<Request, 'caller' | 'isGone'>,
): Request {
  const { route, readBody, readQuery } = bound;
  const idempotencyToken = head.target === '' ? undefined : readIdempotencyToken(head, caller, bytes);
  const parameters = head.parameters.map(decodeParameter);
  const query = readQuery ? readQuery(head.query) : NO_QUERY;
  const isLeftOut = bytes.length === 0 && (route.body === null || route.isBodyOptional === true);
  const body = isLeftOut ? {} : readBody && readEncoded(readBody, head, bytes);
  return { parameters, query, body, idempotencyToken, lastEventId: head.lastEventId, caller, isGone };
}

/** What changes something reads its body even where it takes none: nobody should believe that it counted. */
function bodyReaderOf({ body, method, readPlain }: AnyRoute): BodyReader | null {
  if (body) return createBodyReader(body, readPlain);
  return method === 'post' ? createBodyReader(NOTHING) : null;
}

function readEncoded(readBody: BodyReader, { contentType, contentEncoding }: Head, bytes: Buffer): unknown {
  if (!/^(identity)?$/i.test(contentEncoding)) throw ENCODED;
  return readBody(contentType, bytes);
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
