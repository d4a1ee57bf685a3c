import { beforeEach, describe, expect, test } from 'vitest';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const BILLION = 1_000_000_000;
let sku: string;
let skus = 0;

/** Each test has a product of its own, of which there are 10. */
beforeEach(async () => {
  skus += 1;
  sku = `tea ${skus}`;
  await api.put(sku, { stock: 10 });
});

interface Asked {
  readonly of?: string;
  readonly key?: string;
  readonly user?: string;
  readonly url?: string;
}

function adjust(body: unknown, { of = sku, key, user = 'ops', url = api.url }: Asked = {}) {
  return call(`${url}/api/v1/products/${encodeURIComponent(of)}/adjustments`, {
    method: 'POST',
    token: tokenFor(user, 'operator'),
    body,
    headers: key ? { 'idempotency-key': key } : {},
  });
}

const by = (delta: number, reason = 'counted again') => ({ delta, reason });
const replayed = ({ headers }: HttpAnswer) => headers['idempotency-replayed'] === 'true';

const movementsOf = (of: string) =>
  api.database.query
    .selectFrom('stock_movements')
    .select(['delta', 'kind', 'reason', 'pool'])
    .where('sku', '=', of)
    .orderBy('entry')
    .orderBy('line')
    .execute();

describe('an adjustment', () => {
  test('adds units or takes some away, down to none, and says what is available', async () => {
    expect(await adjust(by(5))).toMatchObject({ status: 201, body: { available: 15 } });
    expect((await adjust(by(-15))).body).toEqual({ available: 0 });
    expect(await api.stockOf(sku)).toBe(0);
    expect((await adjust(by(1))).body).toEqual({ available: 1 });
    expect((await api.order('mina', [{ sku, quantity: 1 }])).status).toBe(201);
  });

  test('is a movement with its reason in MariaDB, and the ledger adds up', async () => {
    await adjust(by(-4, '깨짐 🍵'));
    await api.order('mina', [{ sku, quantity: 2 }]);
    await adjust(by(7, ' found behind the shelf '));
    await api.expectConsistent();
    await api.drain();
    const regular = { pool: 'regular' };
    expect(await movementsOf(sku)).toEqual([
      { ...regular, delta: 10, kind: 'load', reason: null },
      { ...regular, delta: -4, kind: 'adjustment', reason: '깨짐 🍵' },
      { ...regular, delta: 7, kind: 'adjustment', reason: ' found behind the shelf ' },
    ]);
    const level = await api.database.query
      .selectFrom('stock_levels')
      .select('available')
      .where('sku', '=', sku)
      .executeTakeFirstOrThrow();
    expect(level.available).toBe(11);
    await api.expectConsistent();
  });

  test('P1: never goes below zero: 409 with what there is, and nothing changes', async () => {
    const state = await api.state();
    const answer = await adjust(by(-11));
    expectProblem(answer, 409, 'out_of_stock');
    expect(answer.body.items).toEqual([{ sku, requested: 11, available: 10 }]);
    expect(await api.state()).toEqual(state);
  });

  test('P1: among orders and others of its kind, takes and brings each unit once', async () => {
    const deeds = Array.from({ length: 60 }, (_, at) => at % 3);
    const answers = await Promise.all(
      deeds.map((kind) => {
        if (kind === 0) return api.order('mina', [{ sku, quantity: 1 }]);
        return adjust(by(kind === 1 ? -1 : 1));
      }),
    );
    const done = (kind: number) =>
      answers.filter(({ status }, at) => deeds[at] === kind && status === 201).length;
    for (const { status } of answers) expect([201, 409]).toContain(status);
    expect(done(2)).toBe(20);
    expect(await api.stockOf(sku)).toBe(10 + done(2) - done(1) - done(0));
    await api.expectConsistent();
  });

  test('of a product that does not exist: 404', async () => {
    const state = await api.state();
    for (const of of ['nothing', '__proto__', 'a'.repeat(200), '\u0000'])
      expectProblem(await adjust(by(1), { of }), 404, 'not_found');
    expect(await api.state()).toEqual(state);
  });

  test('takes up to 10^12 units either way, and no level passes that', async () => {
    expect((await adjust(by(1_000 * BILLION - 10))).body).toEqual({ available: 1_000 * BILLION });
    const answer = await adjust(by(1));
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors).toEqual([{ path: '/delta', message: expect.stringMatching(/1000000000000/) }]);
    expect((await adjust(by(-1_000 * BILLION))).body).toEqual({ available: 0 });
  });

  test.each([
    ['/delta', { reason: 'r' }],
    ['/delta', by(0)],
    ['/delta', by(1.5)],
    ['/delta', { delta: '1', reason: 'r' }],
    ['/delta', { delta: null, reason: 'r' }],
    ['/delta', by(1_000 * BILLION + 1)],
    ['/delta', by(-1_000 * BILLION - 1)],
    ['/delta', '{"delta":1e1,"reason":"r"}'],
    ['/delta', '{"delta":-0,"reason":"r"}'],
    ['/delta', '{"delta":1,"delta":1,"reason":"r"}'],
    ['/reason', { delta: 1 }],
    ['/reason', by(1, '')],
    ['/reason', by(1, '   ')],
    ['/reason', by(1, 'a\u0000')],
    ['/reason', '{"delta":1,"reason":"\\ud800"}'],
    ['/reason', by(1, 'a'.repeat(256))],
    ['/reason', { delta: 1, reason: 7 }],
    ['/sku', { ...by(1), sku: 'another' }],
  ])('refuses a wrong value and names %s: %j', async (path, body) => {
    const state = await api.state();
    const answer = await adjust(body);
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors).toEqual([{ path, message: expect.stringMatching(/\S/) }]);
    expect(await api.state()).toEqual(state);
  });

  test('has a reason of up to 255 characters', async () => {
    expect((await adjust(by(1, '한'.repeat(255)))).status).toBe(201);
    await api.drain();
    expect((await movementsOf(sku)).at(-1)!.reason).toBe('한'.repeat(255));
  });

  test('is for operators: customers get 403, nobody 401', async () => {
    const path = `/api/v1/products/${encodeURIComponent(sku)}/adjustments`;
    const post = (token?: string) => api.call(path, { method: 'POST', body: by(1), ...(token && { token }) });
    expectProblem(await post(tokenFor('mina')), 403, 'forbidden');
    expectProblem(await post(), 401, 'unauthenticated');
    expectProblem(await api.call(path), 405, 'method_not_allowed');
    expect(await api.stockOf(sku)).toBe(10);
  });
});

describe('P4: an adjustment that is sent again with its key', () => {
  test('gets the first success to the letter, whatever came since, and changes nothing', async () => {
    const key = `again ${sku}`.replaceAll(' ', '-');
    const first = await adjust(by(-3), { key });
    expect([first.status, replayed(first), first.body]).toEqual([201, false, { available: 7 }]);
    await adjust(by(20));
    const state = await api.state();
    const second = await adjust(by(-3), { key });
    expect([second.status, replayed(second), second.body]).toEqual([201, true, first.body]);
    expect(await api.state()).toEqual(state);
    await api.drain();
    expect((await adjust(by(-3), { key })).body).toEqual(first.body);
    const kept = await api.database.query.selectFrom('idempotency_keys').select('outcome').execute();
    expect(kept).toContainEqual({ outcome: '=7' });
  });

  test('50 at once over two api processes are one', async () => {
    const other = await api.startAnother();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        adjust(by(-2), { key: 'fifty', url: at % 2 ? api.url : other.url }),
      ),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.available}`))).toEqual(
      new Set(['201 8']),
    );
    expect(answers.filter(replayed)).toHaveLength(49);
    expect(await api.stockOf(sku)).toBe(8);
    expect(await other.stop()).toBe(0);
  });

  test('but with another delta, reason or product is refused, and nothing changes', async () => {
    const key = 'mismatch';
    await adjust(by(1), { key });
    await api.put('other');
    const state = await api.state();
    const others = [
      adjust(by(2), { key }),
      adjust(by(1, 'other'), { key }),
      adjust(by(1), { key, of: 'other' }),
    ];
    for (const answer of await Promise.all(others)) expectProblem(answer, 422, 'idempotency_mismatch');
    expect(await api.state()).toEqual(state);
  });

  test('an order and an adjustment cannot share a key, either way round', async () => {
    const order = (key: string) =>
      api.call('/api/v1/orders', {
        method: 'POST',
        token: tokenFor('ops', 'operator'),
        body: { items: [{ sku, quantity: 1 }] },
        headers: { 'idempotency-key': key },
      });
    expect((await adjust(by(1), { key: 'adjusted-first' })).status).toBe(201);
    expectProblem(await order('adjusted-first'), 422, 'idempotency_mismatch');
    expect((await order('ordered-first')).status).toBe(201);
    expectProblem(await adjust(by(1), { key: 'ordered-first' }), 422, 'idempotency_mismatch');
    expect(await api.stockOf(sku)).toBe(10);
  });

  test('is free to be made after a refusal, and another operator has keys of their own', async () => {
    expectProblem(await adjust(by(-11), { key: 'refused' }), 409, 'out_of_stock');
    await adjust(by(1));
    expect((await adjust(by(-11), { key: 'refused' })).body).toEqual({ available: 0 });
    await adjust(by(20));
    const theirs = await adjust(by(-11), { key: 'refused', user: 'other ops' });
    expect([replayed(theirs), theirs.body]).toEqual([false, { available: 9 }]);
  });
});
