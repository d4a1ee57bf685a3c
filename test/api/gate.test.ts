import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { type StartedProcess, startProcess } from '../fixtures/processes.ts';
import { expectProblem } from '../fixtures/running-api.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';

const redis = useRedis();
const database = useDatabase();
let api: StartedProcess;
let url = '';

/** Requests that change something, with what they need. */
const CHANGES = [
  ['/api/v1/orders', { method: 'POST', body: { items: [{ sku: 'tea', quantity: 1 }] } }],
  ['/api/v1/wishlist/order', { method: 'POST' }],
  ['/api/v1/wishlist/tea', { method: 'PUT', body: { quantity: 1 } }],
  ['/api/v1/wishlist/tea', { method: 'DELETE' }],
  ['/api/v1/products/tea', { method: 'PUT', body: { name: 'tea', price: 1 } }],
] as const;

async function moveCheckpoint(epoch: number, sequence: number): Promise<void> {
  await sql`update journal_checkpoint set epoch = ${epoch}, sequence = ${sequence}`.execute(
    database.database.query,
  );
}

/** Asks until /readyz has this status: the gate looks again and again. */
async function untilReadyz(status: number) {
  for (;;) {
    const answer = await call(`${url}/readyz`);
    if (answer.status === status) return answer;
  }
}

async function expectAllRefused(reason: RegExp): Promise<void> {
  const token = tokenFor('the operator', 'operator');
  for (const [path, options] of CHANGES) {
    const answer = await call(url + path, { ...options, token });
    expectProblem(answer, 503, 'not_accepting');
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(answer.body.detail).toMatch(reason);
  }
}

beforeAll(async () => {
  await moveCheckpoint(1, 41);
  api = startProcess(['api'], { REDIS_URL: redis.url, DATABASE_URL: database.url, PORT: '0' });
  url = String((await api.waitForLog(({ msg }) => msg === 'listening')).url);
});

afterAll(async () => {
  expect(await api.stop()).toBe(0);
});

describe('P6: an empty Redis beside a MariaDB that has heard of orders', () => {
  test('is not ready, and /readyz says why; the process is alive all the same', async () => {
    const answer = await untilReadyz(503);
    await api.waitForLog(({ msg, reasons }) => msg === 'gate closed' && String(reasons).includes('1-41'));
    expectProblem(await untilReadyz(503), 503, 'not_accepting');
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect((await call(`${url}/readyz`)).body.reasons).toEqual([
      expect.stringMatching(/Redis has lost data.*0-0.*1-41/),
    ]);
    expect((await call(`${url}/healthz`)).status).toBe(200);
  });

  test('changes nothing: whatever would is refused with 503', async () => {
    await expectAllRefused(/Redis has lost data/);
    const keys = await redis.client.keys('*');
    // A process may always say that it is there.
    expect(keys.filter((key) => key !== KEYS.processes)).toEqual([]);
  });

  test('opens once the two agree', async () => {
    await moveCheckpoint(0, 0);
    await untilReadyz(200);
    const token = tokenFor('the operator', 'operator');
    const put = { method: 'PUT', token, body: { name: 'tea', price: 1, stock: 3 } };
    expect((await call(`${url}/api/v1/products/tea`, put)).status).toBe(201);
  });
});

describe('Redis away', () => {
  test('not one request hangs or breaks: 503 for changes and for what is read from it', async () => {
    await redis.server.stop();
    await api.waitForLog(({ msg, reasons }) => msg === 'gate closed' && String(reasons) === 'Redis is away');
    expect((await untilReadyz(503)).body.reasons).toEqual(['Redis is away']);
    await expectAllRefused(/Redis is away/);
    for (const path of ['/api/v1/products/tea', '/api/v1/wishlist', '/api/v1/orders/0001000000000000']) {
      const answer = await call(url + path, { token: tokenFor('mina') });
      expectProblem(answer, 503, 'not_accepting');
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect((await call(`${url}/healthz`)).status).toBe(200);
  });
});
