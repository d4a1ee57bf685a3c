import { createSigner, createVerifier } from 'fast-jwt';
import { isUser } from '../domain/bounds.ts';

export type Role = 'customer' | 'operator';

/** Who calls: the `sub` and `role` of a token. */
export interface Caller {
  readonly user: string;
  readonly role: Role;
}

/** A token that does not hold; `message` says why in words for its bearer. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken';
}

/** Checked tokens are remembered, since a shopper shows the same one again and again. */
const REMEMBERED_TOKENS = 10_000;

/** Signs tokens for callers with HS256; `lifetimeMs` from now until they expire. */
export function signToken(secret: string, caller: Caller, lifetimeMs: number): string {
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: lifetimeMs });
  return sign({ sub: caller.user, role: caller.role });
}

/**
 * Returns a function that reads a token: HS256 with this secret and no other algorithm, not expired, a `sub` that
 * can be a user, a role that we know (customer when it has none). It throws `InvalidToken` otherwise.
 */
export function createTokenReader(secret: string): (token: string) => Caller {
  const verify = createVerifier({ key: secret, algorithms: ['HS256'], cache: REMEMBERED_TOKENS });
  return (token) => {
    const { sub, role = 'customer' } = readClaims(verify, token);
    if (typeof sub !== 'string' || !isUser(sub)) throw new InvalidToken('the token names no user in "sub"');
    if (role !== 'customer' && role !== 'operator') throw new InvalidToken('the token has an unknown "role"');
    return { user: sub, role };
  };
}

function readClaims(verify: (token: string) => unknown, token: string): { sub?: unknown; role?: unknown } {
  try {
    return verify(token) as { sub?: unknown; role?: unknown };
  } catch (error) {
    throw new InvalidToken((error as Error).message);
  }
}
