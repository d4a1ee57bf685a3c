import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../engine/token/token.ts';
import { type HttpCall, tokenFor } from '../fixtures/http.ts';
import { AUTH_SECRET } from '../fixtures/processes.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const ORDER = { items: [{ sku: 'tea', quantity: 1 }] };

beforeAll(async () => {
  await api.put('tea', { stock: 10 });
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made by hand, so that it may be wrong. */
function forge(header: object, claims: object, { secret = AUTH_SECRET, hash = 'sha256' } = {}): string {
  const signed = `${base64(header)}.${base64(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const HS256 = { alg: 'HS256', typ: 'JWT' };
const SOON = Math.floor(Date.now() / 1_000) + 3_600;
const GOOD = { sub: 'mina', role: 'operator', exp: SOON };
const [goodHead = '', goodClaims = '', goodSignature = ''] = forge(HS256, GOOD).split('.');

const BAD_TOKENS: readonly (readonly [string, string])[] = [
  ['garbage', 'garbage'],
  ['three dots of garbage', 'a.b.c'],
  ['an expired one', forge(HS256, { ...GOOD, exp: SOON - 7_200 })],
  ['one that is not good yet', forge(HS256, { ...GOOD, nbf: SOON })],
  ['one of another secret', forge(HS256, GOOD, { secret: `${AUTH_SECRET}!` })],
  ['one without algorithm', `${base64({ alg: 'none', typ: 'JWT' })}.${goodClaims}.`],
  ['one without algorithm but with a signature', `${base64({ alg: 'none' })}.${goodClaims}.${goodSignature}`],
  ['one of another algorithm', forge({ alg: 'HS512', typ: 'JWT' }, GOOD, { hash: 'sha512' })],
  ['one without its signature', `${goodHead}.${goodClaims}.`],
  ['one whose claims were changed', `${goodHead}.${base64({ ...GOOD, sub: 'jun' })}.${goodSignature}`],
  ['one without a user', forge(HS256, { role: 'customer', exp: SOON })],
  ['one whose user is a number', forge(HS256, { ...GOOD, sub: 7 })],
  ['one whose user is empty', forge(HS256, { ...GOOD, sub: '' })],
  ['one whose user has a control character', forge(HS256, { ...GOOD, sub: 'mi\nna' })],
  ['one of an unknown role', forge(HS256, { ...GOOD, role: 'admin' })],
];

const CUSTOMER_ROUTES: readonly (readonly [string, HttpCall])[] = [
  ['/api/v1/orders', { method: 'POST', body: ORDER }],
  ['/api/v1/orders/0001000000000000', {}],
  ['/api/v1/wishlist', {}],
  ['/api/v1/wishlist/tea', { method: 'PUT', body: { quantity: 1 } }],
  ['/api/v1/wishlist/tea', { method: 'DELETE' }],
  ['/api/v1/wishlist/order', { method: 'POST' }],
];
const OPERATOR_ROUTE = [
  '/api/v1/products/tea',
  { method: 'PUT', body: { name: 'green tea', price: 1 } },
] as const;
const OPEN_PATHS = ['/healthz', '/readyz', '/api/v1/products/tea'];

const named = ([path, { method = 'GET' }]: readonly [string, HttpCall]) => `${method} ${path}`;

describe.each([...CUSTOMER_ROUTES, OPERATOR_ROUTE].map((route) => [named(route), route] as const))(
  '%s',
  (_, [path, options]) => {
    test('answers 401 to whoever shows no valid token, and does nothing', async () => {
      const before = await api.state();
      const headers = ['', 'Bearer', 'Bearer ', `Basic ${tokenFor('mina')}`, tokenFor('mina')].map(
        (text) => ({
          authorization: text,
        }),
      );
      for (const sent of [{}, ...headers]) {
        const answer = await api.call(path, { ...options, headers: sent });
        expectProblem(answer, 401, 'unauthenticated');
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
      for (const [, token] of BAD_TOKENS) {
        expectProblem(await api.call(path, { ...options, token }), 401, 'unauthenticated');
      }
      expect(await api.state()).toEqual(before);
    });
  },
);

test.each(BAD_TOKENS)('%s is no valid token', async (_, token) => {
  const answer = await api.call('/api/v1/wishlist', { token });
  expectProblem(answer, 401, 'unauthenticated');
  expect(answer.body.detail).not.toContain(token);
});

test('who may not ask is told so before what is wrong with the question', async () => {
  const answer = await api.call('/api/v1/orders', { method: 'POST', body: 'not JSON' });
  expectProblem(answer, 401, 'unauthenticated');
});

test('a customer on a route for operators is forbidden, 403, and changes nothing', async () => {
  const [path, options] = OPERATOR_ROUTE;
  const before = await api.state();
  expectProblem(await api.call(path, { ...options, token: tokenFor('mina') }), 403, 'forbidden');
  expect(await api.state()).toEqual(before);
  expect((await api.call(path, { ...options, token: tokenFor('mina', 'operator') })).status).toBe(200);
});

test('an operator may do what a customer may; the word Bearer may be in any case', async () => {
  const authorization = `bEARER ${tokenFor('the operator', 'operator')}`;
  expect((await api.call('/api/v1/wishlist', { headers: { authorization } })).status).toBe(200);
});

test('a token without a role is a customer’s', async () => {
  const token = forge(HS256, { sub: 'mina', exp: SOON });
  expect((await api.call('/api/v1/wishlist', { token })).status).toBe(200);
  expectProblem(await api.call(OPERATOR_ROUTE[0], { ...OPERATOR_ROUTE[1], token }), 403, 'forbidden');
});

test('a token that expires is not remembered as valid', async () => {
  const token = signToken(AUTH_SECRET, { user: 'mina', role: 'customer' }, 1_000);
  const statuses = new Set<number>();
  const deadline = Date.now() + 10_000;
  while (!statuses.has(401) && Date.now() < deadline) {
    statuses.add((await api.call('/api/v1/wishlist', { token })).status);
  }
  expect([...statuses]).toEqual([200, 401]);
});

test.each(OPEN_PATHS)('%s asks for no token, and a bad one does no harm', async (path) => {
  expect((await api.call(path)).status).toBe(200);
  expect((await api.call(path, { token: 'garbage' })).status).toBe(200);
});
