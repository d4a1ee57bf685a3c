import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../engine/database/database.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { type Fault, Ledger } from './ledger.ts';
import { consultOracle, type Findings } from './oracle.ts';
import { drawSchedule, drawShop, type ShopProduct, type Step } from './schedule.ts';
import { Shopper } from './shopper.ts';

/**
 * A seeded concurrent run over HTTP, and an oracle that knows afterwards whether the promises were kept.
 *
 * Strategy: the seed alone decides what every virtual user asks, and in which order (`schedule.ts`). Users run side
 * by side over several api processes (`shopper.ts`): orders, wishlists, copies of a request at the same instant, keys
 * that are used for another body, settlements raced against each other and against the end of the hold, adjustments,
 * nonsense. What each reply said is kept (`ledger.ts`). When all is quiet and the journal is drained, the oracle
 * compares what was said with what is kept (`oracle.ts`). With the same seed the same users send the same requests in
 * the same order; how they interleave, and so which orders find stock and are there to be settled, may differ.
 *
 * Invariants:
 *   P1  of each SKU: loaded + acknowledged adjustments = available in Redis = available in MariaDB, + units in
 *       live orders; nothing negative
 *   P2  an order has exactly the lines, the total and the owner that were asked for, told and kept
 *   P3  what was acknowledged with 201 is in MariaDB (the run cuts no power: the other half of P3 is not proved here)
 *   P4  one order, or one movement, for each key however often it was sent; all replies to it alike to the letter;
 *       no order that nobody was told of but those whose answer was 504 or a broken connection
 *   and: each order ended as the replies to confirm and cancel said; wishlists are what the replies said; refusals
 *   are those of the contract; `reconcile` finds no drift.
 */
export interface RunOptions {
  readonly seed: number;
  /** Orders that are asked for, copies not counted. */
  readonly orders: number;
  /** Users at once. */
  readonly connections: number;
  readonly urls: readonly string[];
  readonly redis: RedisClient;
  readonly database: Database;
  /** Called once, when half of the orders have been asked for, with users at work on both sides of it. */
  readonly atHalf?: () => Promise<void>;
  /** Called every few seconds with the number of orders that have been asked for. */
  readonly onProgress?: (asked: number) => void;
}

export interface RunSummary {
  readonly seed: number;
  readonly orders: number;
  readonly requests: number;
  readonly seconds: number;
  readonly accepted: number;
  readonly acceptedPerSecond: number;
  readonly replayed: number;
  readonly withoutAnswer: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly adjustments: number;
  /** Orders in MariaDB by what became of them. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<Fault, number>>;
  /** The first faults, in words. */
  readonly descriptions: readonly string[];
}

const PROGRESS_MS = 3_000;
const QUIET_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Runs it all on an engine that is up and empty, its writer running, its apis holding orders for a while. */
export async function runConcurrently(options: RunOptions): Promise<RunSummary> {
  const shop = drawShop(options.orders);
  await loadShop(options.urls[0]!, shop);
  const ledger = new Ledger(new Map(shop.map(({ sku, price }) => [sku, price])));
  const startMs = performance.now();
  await runUsers(options, shop, ledger);
  const seconds = (performance.now() - startMs) / 1_000;
  if (!(await isQuiet(options.redis)))
    ledger.fault('lost', `MariaDB lacks entries after ${QUIET_MS} ms of quiet`);
  const findings = await consultOracle({ ...options, ledger, shop });
  return summarize(options, ledger, findings, seconds);
}

async function loadShop(url: string, shop: readonly ShopProduct[]): Promise<void> {
  const token = tokenFor('the operator', 'operator');
  for (const { sku, price, stock } of shop) {
    const body = { name: `the product ${sku}`, price, stock };
    const path = `/api/v1/products/${encodeURIComponent(sku)}`;
    const { status } = await call(url + path, { method: 'PUT', token, body });
    if (status !== 201) throw new Error(`"${sku}" was not loaded: ${status}`);
  }
}

/** Users are drawn one after the other until there are orders enough, and run so many at once. */
async function runUsers(options: RunOptions, shop: readonly ShopProduct[], ledger: Ledger): Promise<void> {
  const later: Promise<void>[] = [];
  const schedules = drawUsers(options, shop);
  const progress = setInterval(() => options.onProgress?.(ledger.asked), PROGRESS_MS);
  let disturbance: Promise<void> | undefined;
  const work = async () => {
    for (let drawn = schedules.next(); drawn; drawn = schedules.next()) {
      if (ledger.asked >= options.orders / 2) disturbance ??= options.atHalf?.();
      const { user, steps } = drawn;
      const name = `user ${user}`;
      const shopper = new Shopper({
        name,
        at: user,
        urls: options.urls,
        ledger,
        later: (each) => later.push(each),
      });
      await shopper.run(steps);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.connections }, work));
    await Promise.all(later);
    await disturbance;
  } finally {
    clearInterval(progress);
  }
}

function drawUsers({ seed, orders }: RunOptions, shop: readonly ShopProduct[]) {
  let [user, asked] = [0, 0];
  return {
    next(): { user: number; steps: Step[] } | null {
      if (asked >= orders) return null;
      const steps = drawSchedule(seed, user, shop);
      asked += steps.filter(({ kind }) => kind === 'order').length;
      return { user: user++, steps };
    },
  };
}

/**
 * Waits until no order is held any more and MariaDB has the whole journal. False when that does not come about: a
 * level that MariaDB refuses stops the writer, and then the oracle can still say what is wrong.
 */
async function isQuiet(redis: RedisClient): Promise<boolean> {
  const endMs = performance.now() + QUIET_MS;
  while ((await redis.zcard(KEYS.holds)) > 0 || (await redis.xlen(KEYS.journal)) > 0) {
    if (performance.now() > endMs) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}

function summarize(options: RunOptions, ledger: Ledger, { statuses }: Findings, seconds: number): RunSummary {
  const none = { doubled: 0, lost: 0, untold: 0, oversold: 0, drifted: 0, wrong: 0 };
  return {
    seed: options.seed,
    orders: options.orders,
    requests: ledger.requests,
    seconds: Math.round(seconds * 10) / 10,
    accepted: ledger.orders.size,
    acceptedPerSecond: Math.round(ledger.orders.size / seconds),
    replayed: ledger.replayed,
    withoutAnswer: ledger.withoutAnswer,
    refused: Object.fromEntries([...ledger.refused].sort()),
    adjustments: ledger.adjustments.size,
    statuses: Object.fromEntries([...statuses].sort()),
    faults: { ...none, ...Object.fromEntries(ledger.faults) },
    descriptions: ledger.descriptions,
  };
}
