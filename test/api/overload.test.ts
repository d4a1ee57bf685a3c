import { beforeAll, describe, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const DECISION_DEADLINE_MS = 300;
const PAUSE_MS = 30_000;
const api = useApi({
  QUEUE_ORDERS: '2',
  BATCH_ORDERS: '1',
  BATCH_LANES: '1',
  DECISION_DEADLINE_MS: String(DECISION_DEADLINE_MS),
});

beforeAll(async () => {
  await api.put('tea', { stock: 1_000 });
});

const orderTea = () => api.order('mina', [{ sku: 'tea', quantity: 1 }]);

/** Redis answers no call that would write while `work` runs. */
async function whilePaused<T>(work: () => Promise<T>): Promise<T> {
  await api.redis.client('PAUSE', PAUSE_MS, 'WRITE');
  return await work().finally(() => api.redis.client('UNPAUSE'));
}

describe('P7: more than can wait', () => {
  test('is refused with 503 and Retry-After, and certainly nothing was taken for it', async () => {
    const before = await api.stockOf('tea');
    const answers = await Promise.all(Array.from({ length: 200 }, orderTea));
    const accepted = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(accepted.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expectProblem(answer, 503, 'not_accepting');
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect(await api.stockOf('tea')).toBe(before - accepted.length);
    await api.expectConsistent();
  });
});

describe('a decision that is not learned in time', () => {
  test('is answered with 504 outcome_unknown, never with a guess, and the next order goes through', async () => {
    const before = await api.stockOf('tea');
    const answer = await whilePaused(orderTea);
    expectProblem(answer, 504, 'outcome_unknown');
    expect((await orderTea()).status).toBe(201);
    expect([1, 2]).toContain(before - (await api.stockOf('tea')));
    await api.expectConsistent();
  });
});

describe('what cannot be', () => {
  test('a product whose level is lost is never taken for empty: 500, and nothing is taken', async () => {
    await api.put('cup', { stock: 5 });
    await api.redis.hdel(KEYS.levels, 'cup');
    const before = await api.state();
    const lines = ['tea', 'cup'].map((sku) => ({ sku, quantity: 1 }));
    const answers = [
      await api.order('mina', lines),
      await api.call('/api/v1/products/cup', { token: tokenFor('mina') }),
    ];
    for (const answer of answers) {
      expectProblem(answer, 500, 'internal_error');
      expect(answer.body.detail).not.toContain('cup');
    }
    expect(await api.state()).toEqual(before);
    await api.process.waitForLog(({ msg }) => msg === 'request failed');
    await api.redis.hset(KEYS.levels, 'cup', 5);
    expect((await api.order('mina', lines)).status).toBe(201);
  });
});
