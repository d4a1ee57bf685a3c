import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createTokenReader, InvalidToken, signToken } from './token.ts';

const SECRET = 'a secret of more than thirty-two bytes';
const HOUR_MS = 3_600_000;
const CALLER = { user: '미나 🍵', role: 'customer' } as const;
const read = createTokenReader(SECRET);

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function forge(claims: object, { alg = 'HS256', hash = 'sha256', secret = SECRET } = {}): string {
  const signed = `${base64({ alg, typ: 'JWT' })}.${base64(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const claims = { sub: 'mina', role: 'operator', exp: inSeconds(3_600) };

afterEach(() => {
  vi.useRealTimers();
});

describe('a token', () => {
  test.each(['customer', 'operator'] as const)('is read as it was signed, role %s', (role) => {
    expect(read(signToken(SECRET, { ...CALLER, role }, HOUR_MS))).toEqual({ ...CALLER, role });
  });

  test('of another signer holds when it is HS256 with this secret; without a role it is a customer’s', () => {
    expect(read(forge(claims))).toEqual({ user: 'mina', role: 'operator' });
    expect(read(forge({ sub: 'mina', exp: claims.exp }))).toEqual({ user: 'mina', role: 'customer' });
  });

  test('holds until it expires, also when it was seen before', () => {
    vi.useFakeTimers({ now: Date.now() });
    const token = signToken(SECRET, CALLER, 2_000);
    expect(read(token)).toEqual(CALLER);
    vi.advanceTimersByTime(900);
    expect(read(token)).toEqual(CALLER);
    vi.advanceTimersByTime(2_100);
    expect(() => read(token)).toThrow(InvalidToken);
  });
});

describe('a token does not hold', () => {
  const [header = '', body = '', signature = ''] = forge(claims).split('.');

  test.each([
    ['without an algorithm', `${base64({ alg: 'none', typ: 'JWT' })}.${body}.`],
    ['that says none but is signed', `${base64({ alg: 'none', typ: 'JWT' })}.${body}.${signature}`],
    ['of HS384', forge(claims, { alg: 'HS384', hash: 'sha384' })],
    ['of HS512', forge(claims, { alg: 'HS512', hash: 'sha512' })],
    ['that says RS256', forge(claims, { alg: 'RS256' })],
    ['of another secret', forge(claims, { secret: `${SECRET}.` })],
    ['without its signature', `${header}.${body}.`],
    ['without the part of its signature', `${header}.${body}`],
    ['with other claims', `${header}.${base64({ ...claims, sub: 'jun' })}.${signature}`],
    ['that has expired', forge({ ...claims, exp: inSeconds(-1) })],
    ['that is not good yet', forge({ ...claims, nbf: inSeconds(60) })],
    ['without sub', forge({ role: 'customer', exp: claims.exp })],
    ['whose sub is a number', forge({ ...claims, sub: 7 })],
    ['whose sub is empty', forge({ ...claims, sub: '' })],
    ['whose sub has a lone surrogate', forge({ ...claims, sub: 'a\ud800' })],
    ['whose sub is too long', forge({ ...claims, sub: 'a'.repeat(129) })],
    ['of the role admin', forge({ ...claims, role: 'admin' })],
    ['whose role is a list', forge({ ...claims, role: ['operator'] })],
    ['whose role is null', forge({ ...claims, role: null })],
    ['of claims that are no object', forge([] as object)],
    ['that is empty', ''],
    ['that is garbage', 'garbage'],
    ['that is dots', '..'],
  ])('%s', (_, token) => {
    expect(() => read(token)).toThrow(InvalidToken);
    expect(() => read(token), 'nor when it is shown again').toThrow(InvalidToken);
  });

  test('in another reader with another secret', () => {
    const token = signToken(SECRET, CALLER, HOUR_MS);
    expect(() => createTokenReader(`${SECRET}.`)(token)).toThrow(InvalidToken);
  });
});

test('a token that was read before is refused once it has expired', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const read = createTokenReader(SECRET);
    const token = signToken(SECRET, { user: 'mina', role: 'customer' }, 60_000);
    expect(read(token)).toEqual({ user: 'mina', role: 'customer' });
    vi.setSystemTime(Date.now() + 59_000);
    expect(read(token)).toEqual({ user: 'mina', role: 'customer' });
    vi.setSystemTime(Date.now() + 2_000);
    expect(() => read(token)).toThrow(InvalidToken);
  } finally {
    vi.useRealTimers();
  }
});
