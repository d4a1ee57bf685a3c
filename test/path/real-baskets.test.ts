import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Order, RequestedLine } from '../../engine/domain/order.ts';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import { runCommand, type StartedProcess, startApi, startProcess } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';
import { type Basket, readBaskets, readProductRows } from '../fixtures/shop-data.ts';

/**
 * A real shop's day: every real basket once as a wishlist (a PUT a line, then one order of it all) and once as a
 * direct order, 64 at a time over two api processes, with stock for about two thirds of them. The writer is stopped
 * and started again on the way.
 */
const AT_ONCE = 64;
const REFUSED_SHARE = 1 / 3;

const redis = useRedis();
const maria = useDatabase();
const baskets = readBaskets();
const jobs = baskets.flatMap((basket): Job[] => [
  { basket, as: 'wishlist', user: `wishlist-${basket.invoice}` },
  { basket, as: 'order', user: `order-${basket.invoice}` },
]);
const stock = stockThatRefuses(REFUSED_SHARE);

interface Job {
  readonly basket: Basket;
  readonly as: 'wishlist' | 'order';
  readonly user: string;
}

interface Done extends Job {
  readonly answer: HttpAnswer;
}

const apis: (StartedProcess & { url: string })[] = [];
let writer: StartedProcess;
let environment: NodeJS.ProcessEnv;
let done: Done[];

beforeAll(async () => {
  environment = { REDIS_URL: redis.url, DATABASE_URL: maria.url };
  await importProducts();
  apis.push(await startApi(environment), await startApi(environment));
  writer = startProcess(['writer'], environment);
  done = await replayAll();
  await vi.waitUntil(async () => (await reconcileNow()).backlog === 0, { timeout: 30_000, interval: 200 });
}, 240_000);

afterAll(async () => {
  await Promise.all([...apis, writer].map((started) => started?.stop()));
});

async function importProducts(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bootakhae-shop-'));
  const rows = readProductRows().map(({ sku, rest }) => `${sku},${rest},${stock.get(sku) ?? 0}`);
  writeFileSync(join(directory, 'products.csv'), ['sku,name,price_pence,stock', ...rows].join('\n'));
  const result = await runCommand(['import', join(directory, 'products.csv')], environment);
  rmSync(directory, { recursive: true });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('3791 created') });
}

async function replayAll(): Promise<Done[]> {
  const results: Done[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < jobs.length; at = next++) {
      const job = jobs[at]!;
      results.push({ ...job, answer: await replay(job, apis[at % 2]!.url) });
      if (at === Math.floor(jobs.length / 2)) await restartWriter();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

async function replay({ basket, as, user }: Job, url: string): Promise<HttpAnswer> {
  const token = tokenFor(user);
  if (as === 'order')
    return call(`${url}/api/v1/orders`, { method: 'POST', token, body: { items: basket.lines } });
  for (const { sku, quantity } of basket.lines) {
    const line = `${url}/api/v1/wishlist/${encodeURIComponent(sku)}`;
    expect((await call(line, { method: 'PUT', token, body: { quantity } })).status).toBe(200);
  }
  return call(`${url}/api/v1/wishlist/order`, { method: 'POST', token });
}

async function restartWriter(): Promise<void> {
  expect(await writer.stop('SIGTERM')).toBe(0);
  expect(writer.log.at(-1)?.msg).toBe('stopped: the batch in hand was finished');
  writer = startProcess(['writer'], environment);
}

/** Stock in proportion to each product's demand, such that this share of the baskets finds some line short. */
function stockThatRefuses(share: number): Map<string, number> {
  const demand = new Map<string, number>();
  for (const { sku, quantity } of jobs.flatMap(({ basket }) => basket.lines)) {
    demand.set(sku, (demand.get(sku) ?? 0) + quantity);
  }
  const part = (factor: number) =>
    new Map(Array.from(demand, ([sku, units]) => [sku, Math.ceil(units * factor)]));
  let [low, high] = [0, 1];
  for (let step = 0; step < 12; step++) {
    const factor = (low + high) / 2;
    if (refusedShare(part(factor)) > share) low = factor;
    else high = factor;
  }
  return part(high);
}

function refusedShare(levels: Map<string, number>): number {
  const refused = jobs.filter(({ basket: { lines } }) => {
    if (lines.some(({ sku, quantity }) => levels.get(sku)! < quantity)) return true;
    for (const { sku, quantity } of lines) levels.set(sku, levels.get(sku)! - quantity);
    return false;
  });
  return refused.length / jobs.length;
}

async function reconcileNow() {
  const { code, stdout } = await runCommand(['reconcile', '--json'], environment);
  return { code, ...JSON.parse(stdout) } as {
    code: number;
    backlog: number;
    consistent: boolean;
    drifts: unknown[];
  };
}

const accepted = () => done.filter(({ answer }) => answer.status === 201);
const linesOf = (items: readonly RequestedLine[]) => items.map(({ sku, quantity }) => ({ sku, quantity }));

describe('a day of real baskets', () => {
  test('about a third of them is refused, for want of stock and nothing else', () => {
    const refused = done.filter(({ answer }) => answer.status === 409);
    const share = refused.length / done.length;
    console.log(`${done.length} orders, ${accepted().length} accepted, ${refused.length} refused`);
    expect(accepted().length + refused.length).toBe(done.length);
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.45);
  });

  test('a refused basket names lines that are short, with requested and available', () => {
    for (const { answer, basket } of done.filter(({ answer }) => answer.status === 409)) {
      expect(answer.body.code).toBe('out_of_stock');
      expect(answer.body.items.length).toBeGreaterThan(0);
      for (const { sku, requested, available } of answer.body.items) {
        expect({ sku, quantity: requested }).toEqual(basket.lines.find((line) => line.sku === sku));
        expect(available).toBeLessThan(requested);
        expect(available).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('P2, P3, P4: every accepted order is in MariaDB exactly once, with exactly its lines, and no refused one', async () => {
    const orders = await maria.database.query.selectFrom('orders').selectAll().execute();
    const items = await maria.database.query.selectFrom('order_items').selectAll().orderBy('line').execute();
    const itemsOf = new Map(orders.map(({ id }) => [id, [] as typeof items]));
    for (const item of items) itemsOf.get(item.order_id)!.push(item);
    const kept = orders.map(({ id, user_id, total }) => ({
      id,
      user: user_id,
      total,
      lines: linesOf(itemsOf.get(id)!),
    }));
    const wanted = accepted().map(({ answer, user, basket }) => {
      const order = answer.body as Order;
      return { id: order.id, user, total: order.total, lines: linesOf(basket.lines) };
    });
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
    expect(kept.sort(byId)).toEqual(wanted.sort(byId));
    expect(items.length).toBe(wanted.reduce((sum, { lines }) => sum + lines.length, 0));
  });

  test('P1: for each product, loaded = available in Redis = available in MariaDB + units sold, nothing negative', async () => {
    const sold = new Map<string, number>();
    for (const { sku, quantity } of accepted().flatMap(({ basket }) => basket.lines)) {
      sold.set(sku, (sold.get(sku) ?? 0) + quantity);
    }
    const inRedis = await redis.client.hgetall('bootakhae:{0}:levels');
    const levels = await maria.database.query.selectFrom('stock_levels').selectAll().execute();
    expect(levels.length).toBe(3_791);
    expect(Object.keys(inRedis).length).toBe(3_791);
    for (const { sku, available } of levels) {
      expect({ sku, loaded: available + (sold.get(sku) ?? 0) }).toEqual({ sku, loaded: stock.get(sku) ?? 0 });
      expect({ sku, redis: Number(inRedis[sku]) }).toEqual({ sku, redis: available });
      expect(available).toBeGreaterThanOrEqual(0);
    }
  });

  test('an ordered wishlist is empty, a refused one is as it was', async () => {
    for (const { user, basket, answer } of done.filter(({ as }) => as === 'wishlist')) {
      const { body } = await call(`${apis[0]!.url}/api/v1/wishlist`, { token: tokenFor(user) });
      expect(linesOf(body.items)).toEqual(answer.status === 201 ? [] : linesOf(basket.lines));
    }
  });

  test('Redis, the journal and MariaDB agree', async () => {
    expect(await reconcileNow()).toMatchObject({ code: 0, consistent: true, backlog: 0, drifts: [] });
  });
});
