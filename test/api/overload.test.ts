import { beforeAll, describe, expect, test, vi } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { tokenFor } from '../fixtures/http.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { expectProblem, type RunningApi, useApi } from '../fixtures/running-api.ts';

const PAUSE_MS = 30_000;
/** One order in flight, two that wait. */
const SMALL = { QUEUE_ORDERS: '2', BATCH_ORDERS: '1', BATCH_LANES: '1' };

const orderTea = (api: RunningApi) => api.order('mina', [{ sku: 'tea', quantity: 1 }]);

function useShop(environment: NodeJS.ProcessEnv): RunningApi {
  const api = useApi({ ...SMALL, ...environment });
  beforeAll(async () => {
    await api.put('tea', { stock: 1_000 });
  });
  return api;
}

/** Redis answers no call that would write while `work` runs. */
async function whilePaused<T>(api: RunningApi, work: () => Promise<T>): Promise<T> {
  await api.redis.client('PAUSE', PAUSE_MS, 'WRITE');
  return await work().finally(() => api.redis.client('UNPAUSE'));
}

/** Orders until one order is refused, without waiting for those that are taken; resolves to all answers to come. */
async function orderUntilRefused(api: RunningApi): Promise<Promise<void>[]> {
  const answers: Promise<void>[] = [];
  let isRefused = false;
  const orderOnce = async () => {
    const { status } = await orderTea(api);
    isRefused ||= status === 503;
  };
  const isEnough = () => {
    if (!isRefused) answers.push(orderOnce());
    return isRefused;
  };
  await vi.waitUntil(isEnough, { timeout: 10_000 });
  return answers;
}

describe('P7: more than can wait', () => {
  // What waits goes on waiting for as long as Redis is paused.
  const api = useShop({ QUEUE_WAIT_MS: String(PAUSE_MS), DECISION_DEADLINE_MS: String(PAUSE_MS) });
  test('is refused with 503 and Retry-After, and certainly nothing was taken for it', async () => {
    const before = await api.stockOf('tea');
    const answers = await Promise.all(Array.from({ length: 200 }, () => orderTea(api)));
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

  const body = JSON.stringify({ items: [{ sku: 'tea', quantity: 1 }] });
  const request = head('POST /api/v1/orders', {
    Authorization: `Bearer ${tokenFor('mina')}`,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
  });

  test.each([
    ['in one piece', [request + body]],
    ['with the body after the answer', [request, body]],
  ])(
    'an order refused before its body is read leaves the connection as it was, %s',
    async (_, [first, second]) => {
      const connection = await RawConnection.open(api.url);
      const waiting: Promise<unknown>[] = [];
      await whilePaused(api, async () => {
        // A refusal says that the queue was full, and that an order is on its way to Redis by now; the next one, asked
        // for after that, that it is full for as long as Redis is paused.
        waiting.push(...(await orderUntilRefused(api)), ...(await orderUntilRefused(api)));
        connection.send(first!);
        expect(await connection.until(/not_accepting/)).toContain('HTTP/1.1 503');
        if (second) connection.send(second);
      });
      await Promise.all(waiting);
      connection.send(request, body);
      expect(await connection.until(/HTTP\/1.1 201/)).toContain('201 Created');
      connection.close();
    },
  );
});

describe('a decision that is not learned in time', () => {
  const api = useShop({ DECISION_DEADLINE_MS: '300' });
  test('is answered with 504 outcome_unknown, never with a guess, and the next order goes through', async () => {
    const before = await api.stockOf('tea');
    const answer = await whilePaused(api, () => orderTea(api));
    expectProblem(answer, 504, 'outcome_unknown');
    expect((await orderTea(api)).status).toBe(201);
    expect([1, 2]).toContain(before - (await api.stockOf('tea')));
    await api.expectConsistent();
  });
});

describe('what cannot be', () => {
  const api = useShop({});
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
