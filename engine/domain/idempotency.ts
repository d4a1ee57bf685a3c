import { createHash } from 'node:crypto';

/** An idempotency key as a client may send it: 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** Characters of a token that name the key within its user; the rest names what was asked. */
export const SCOPE_CHARACTERS = 22;
export const CONTENT_CHARACTERS = 11;

/**
 * What is kept for a key: what was asked, and what it led to first: the id of an order, `=` and what was available after an
 * adjustment, or the status that a confirmation or cancellation answered.
 */
export interface IdempotencyRecord {
  readonly scope: string;
  readonly content: string;
  readonly outcome: string;
}

/** A request that carries an idempotency key. */
export interface KeyedRequest {
  readonly user: string;
  readonly key: string;
  /** Method and path: the same key on another path asks for something else. */
  readonly target: string;
  readonly body: Buffer;
}

/**
 * The token that the scripts compare: 22 characters of SHA-256 over user and key (128 bits: no two keys will ever
 * meet), 11 over target and body (64 bits: what one client sends under one key), both base64url.
 */
export function tokenOf({ user, key, target, body }: KeyedRequest): string {
  const scope = createHash('sha256').update(`${user}\n${key}`).digest('base64url');
  const content = createHash('sha256').update(`${target}\n`).update(body).digest('base64url');
  return scope.slice(0, SCOPE_CHARACTERS) + content.slice(0, CONTENT_CHARACTERS);
}

/** The two parts of a token. */
export function splitToken(token: string): { scope: string; content: string } {
  return { scope: token.slice(0, SCOPE_CHARACTERS), content: token.slice(SCOPE_CHARACTERS) };
}
