import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi({ HOLD_SECONDS: '600' });
const STOCK = 1_000;
let sku: string;
let key: string;
let round = 0;

beforeAll(async () => {
  await api.put('tea', { stock: STOCK });
});

beforeEach(async () => {
  round += 1;
  sku = `product-${round}`;
  key = `key-${round}`;
  await api.put(sku, { stock: STOCK });
});

const place = async () => (await api.order('mina', [{ sku, quantity: 2 }])).body;
const replayed = ({ headers }: HttpAnswer) => headers['idempotency-replayed'] === 'true';

function settle(action: 'confirm' | 'cancel', id: string, used: string | null = key, url = api.url) {
  const headers: Record<string, string> = used === null ? {} : { 'idempotency-key': used };
  return call(`${url}/api/v1/orders/${id}/${action}`, { method: 'POST', token: tokenFor('mina'), headers });
}

describe.each(['confirm', 'cancel'] as const)('P4: a %s that is sent again with its key', (action) => {
  test('gets the first success to the letter, and changes nothing', async () => {
    const { id } = await place();
    const first = await settle(action, id);
    expect([first.status, replayed(first)]).toEqual([200, false]);
    const state = await api.state();
    const second = await settle(action, id);
    expect([second.status, replayed(second), second.body]).toEqual([200, true, first.body]);
    expect(await api.state()).toEqual(state);
  });

  test('50 at once over two api processes are one', async () => {
    const other = await api.startAnother();
    const { id } = await place();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => settle(action, id, key, at % 2 ? api.url : other.url)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers.filter(replayed)).toHaveLength(49);
    expect(await api.stockOf(sku)).toBe(action === 'confirm' ? STOCK - 2 : STOCK);
    expect(await other.stop()).toBe(0);
  });
});

test('P4: the replay of a confirmation gives the order as it was placed, though it was cancelled since', async () => {
  const { id } = await place();
  const first = await settle('confirm', id);
  expect((await settle('cancel', id, null)).body.status).toBe('cancelled');
  for (const drained of [false, true]) {
    if (drained) await api.drain();
    const again = await settle('confirm', id);
    expect([again.status, replayed(again), again.body]).toEqual([200, true, first.body]);
  }
  expectProblem(await settle('confirm', id, `${key}-new`), 409, 'order_state');
  expect(await api.stockOf(sku)).toBe(STOCK);
  const kept = await api.database.query
    .selectFrom('idempotency_keys')
    .select('outcome')
    .where('outcome', '=', 'placed')
    .execute();
  expect(kept.length).toBeGreaterThan(0);
  await api.expectConsistent();
});

test('P4: a key is kept for a repeated confirmation, too, which had nothing to do', async () => {
  const { id } = await place();
  await settle('confirm', id, null);
  const first = await settle('confirm', id);
  await api.drain();
  await settle('cancel', id, null);
  const again = await settle('confirm', id);
  expect([replayed(first), replayed(again), again.body]).toEqual([false, true, first.body]);
  await api.drain();
  await api.expectConsistent();
});

describe('a key that was used', () => {
  const order = () =>
    api.call('/api/v1/orders', {
      method: 'POST',
      token: tokenFor('mina'),
      body: { items: [{ sku, quantity: 2 }] },
      headers: { 'idempotency-key': key },
    });

  test('for the order itself cannot confirm or cancel it', async () => {
    const { id } = (await order()).body;
    const state = await api.state();
    for (const action of ['confirm', 'cancel'] as const)
      expectProblem(await settle(action, id), 422, 'idempotency_mismatch');
    expect(await api.state()).toEqual(state);
  });

  test('to confirm cannot cancel, confirm another order, order or adjust', async () => {
    const [{ id }, another] = [await place(), await place()];
    await settle('confirm', id);
    const state = await api.state();
    const adjusted = api.call(`/api/v1/products/${sku}/adjustments`, {
      method: 'POST',
      token: tokenFor('mina', 'operator'),
      body: { delta: 1, reason: 'counted' },
      headers: { 'idempotency-key': key },
    });
    for (const answer of [settle('cancel', id), settle('confirm', another.id), order(), adjusted])
      expectProblem(await answer, 422, 'idempotency_mismatch');
    expect(await api.state()).toEqual(state);
  });

  test('by another user is theirs alone', async () => {
    const { id } = await place();
    await settle('confirm', id);
    const theirs = await api.call(`/api/v1/orders/${id}/confirm`, {
      method: 'POST',
      token: tokenFor('ops', 'operator'),
      headers: { 'idempotency-key': key },
    });
    expect([theirs.status, replayed(theirs)]).toEqual([200, false]);
  });

  test('for a cancellation that was refused is free: refusals are not kept', async () => {
    const { id } = await place();
    await settle('cancel', id, null);
    expectProblem(await settle('confirm', id), 409, 'order_state');
    const other = await place();
    expect((await settle('confirm', other.id)).body.status).toBe('placed');
  });
});

test.each(['k'.repeat(256), 'a b', 'k\u00e9y'])('a malformed key is refused with 400: %j', async (used) => {
  const { id } = await place();
  expectProblem(await settle('confirm', id, used), 400, 'invalid_request');
  expectProblem(await settle('cancel', id, used), 400, 'invalid_request');
});
