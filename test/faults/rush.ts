import { setTimeout as think } from 'node:timers/promises';
import { expect } from 'vitest';
import { ORIGIN } from '../../engine/domain/position.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { call, type HttpAnswer, tokenFor } from '../fixtures/http.ts';
import type { RunningApi } from '../fixtures/running-api.ts';

/** What one buyer, who orders once, was told. */
export interface Told {
  readonly user: string;
  readonly status: number;
  /** The order's id after a 201. */
  readonly id: string | null;
}

const BUYERS_AT_ONCE = 24;
/** Someone who is told 503 has a look at the shelf before anyone else comes. */
const AFTER_REFUSAL_MS = 20;
const ALL = 1_000_000;
const LINES = [
  { sku: 'tea', quantity: 1 },
  { sku: 'cup', quantity: 2 },
];

let rushes = 0;

/** Orders as `user`, whose name is the idempotency key too. */
export function orderAs(url: string, user: string): Promise<HttpAnswer> {
  const headers = { 'idempotency-key': user };
  const body = { items: LINES };
  return call(`${url}/api/v1/orders`, { method: 'POST', token: tokenFor(user), body, headers });
}

/**
 * Buyers who keep coming while a test does something to Redis. Each orders once and under a name of their own, so that
 * the journal tells of each what was taken for them.
 */
export class Rush {
  readonly told: Told[] = [];
  readonly #url: string;
  readonly #name: string;
  readonly #queues: Promise<void>[];
  #stopped = false;
  #count = 0;
  #heard: () => void = () => undefined;

  constructor(url: string) {
    this.#url = url;
    rushes += 1;
    this.#name = `buyer-${rushes}`;
    this.#queues = Array.from({ length: BUYERS_AT_ONCE }, () => this.#queue());
  }

  /** Resolves when `count` more buyers than now were told `status`. */
  async until(status: number, count: number): Promise<void> {
    const told = () => this.told.filter((one) => one.status === status).length;
    for (const goal = told() + count; told() < goal; ) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** No more buyers; resolves when the last one was told something. */
  async stop(): Promise<readonly Told[]> {
    this.#stopped = true;
    await Promise.all(this.#queues);
    return this.told;
  }

  async #queue(): Promise<void> {
    while (!this.#stopped) {
      this.#count += 1;
      const user = `${this.#name}-${this.#count}`;
      const { status, body } = await orderAs(this.#url, user);
      this.told.push({ user, status, id: status === 201 ? body.id : null });
      this.#heard();
      if (status !== 201) await think(AFTER_REFUSAL_MS);
    }
  }
}

/** How often each status was told. */
export function countStatuses(told: readonly Told[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of told) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** User -> ids of their orders, as the journal has them; nothing has left it yet. */
async function readOrders(api: RunningApi): Promise<Map<string, string[]>> {
  const orders = new Map<string, string[]>();
  for (const entry of await readEntriesAfter(api.redis, ORIGIN, { count: ALL })) {
    if (entry.kind !== 'orders') continue;
    for (const { userId, order } of entry.orders) {
      orders.set(userId, [...(orders.get(userId) ?? []), order.id]);
    }
  }
  return orders;
}

/**
 * The journal has for each buyer what they were told: after a 201 that one order, after a 503 none, after a 504 one or none.
 * Those who were told 504 then ask again with their key, and get exactly one order. Returns every order's id by its
 * buyer.
 */
export async function expectTruth(api: RunningApi, told: readonly Told[]): Promise<Map<string, string>> {
  const before = await readOrders(api);
  for (const { user, status, id } of told) {
    const taken = before.get(user) ?? [];
    expect([201, 503, 504], `${user} was told ${status}`).toContain(status);
    if (status === 201) expect({ user, taken }).toEqual({ user, taken: [id] });
    if (status === 503) expect({ user, taken }).toEqual({ user, taken: [] });
    expect(taken.length, `orders of ${user}`).toBeLessThanOrEqual(1);
  }
  const ids = new Map(told.flatMap(({ user, id }) => (id === null ? [] : [[user, id] as const])));
  for (const { user, status } of told) {
    if (status !== 504) continue;
    const again = await orderAs(api.url, user);
    const [taken] = before.get(user) ?? [];
    expect(again.status).toBe(201);
    expect(again.headers['idempotency-replayed']).toBe(taken ? 'true' : undefined);
    if (taken) expect(again.body.id).toBe(taken);
    ids.set(user, again.body.id);
  }
  const after = await readOrders(api);
  for (const { user } of told) expect(after.get(user) ?? []).toEqual(ids.has(user) ? [ids.get(user)] : []);
  await api.expectConsistent();
  return ids;
}
