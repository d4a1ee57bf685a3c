import { type Caller, createTokenReader, InvalidToken } from '../engine/token/token.ts';
import { Problem } from './http/problem.ts';
import type { Access } from './http/route.ts';

const NOBODY: Caller = { user: '', role: 'customer' };
const SCHEME = /^bearer +/i;

/**
 * Returns a function that says who an Authorization header speaks for. It throws 401 `unauthenticated` without a
 * valid token, 403 `forbidden` with one whose role is not enough.
 */
export function createAuthenticator(secret: string): (authorization: string, access: Access) => Caller {
  const readToken = createTokenReader(secret);
  return (authorization, access) => {
    if (access === 'anyone') return NOBODY;
    const caller = identify(readToken, authorization);
    if (access === 'operator' && caller.role !== 'operator') {
      throw new Problem('forbidden', 'this needs a token of the role operator');
    }
    return caller;
  };
}

function identify(readToken: (token: string) => Caller, authorization: string): Caller {
  if (!SCHEME.test(authorization)) throw unauthenticated('send "Authorization: Bearer <token>"');
  try {
    return readToken(authorization.replace(SCHEME, ''));
  } catch (error) {
    if (error instanceof InvalidToken) throw unauthenticated(error.message);
    throw error;
  }
}

function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail, { headers: { 'WWW-Authenticate': 'Bearer' } });
}
