import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../engine/database/database.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { Disturbances, drawDisturbances, type Kill, type Victim } from './disturbances.ts';
import { HttpPool } from './http-pool.ts';
import { type Fault, Ledger, type ToldOrder } from './ledger.ts';
import { Operator } from './operator.ts';
import { consultOracle, type Findings } from './oracle.ts';
import { drawSales } from './sale-schedule.ts';
import { countOrders, drawSchedule, drawShop, type ShopProduct, type Step } from './schedule.ts';
import { Shopper } from './shopper.ts';

/**
 * A seeded concurrent run over HTTP, and an oracle that knows afterwards whether the promises were kept.
 *
 * Strategy: the seed alone decides what every virtual user asks, and in which order (`schedule.ts`). Users run side
 * by side over several api processes (`shopper.ts`): orders, wishlists, copies of a request at the same instant, keys
 * that are used for another body, settlements raced against each other and against the end of the hold, adjustments,
 * nonsense. At moments that the seed chooses the writer, an api and Redis are killed (SIGKILL) and started again
 * (`disturbances.ts`), and an operator opens and closes sale events (`operator.ts`); whoever has no answer asks again with its key, if it has one. Some orders are read right after
 * their 201, through another api, and again later (`readings.ts`). What each reply said is kept (`ledger.ts`). When all
 * is quiet and the journal is drained, the oracle compares what was said with what is kept (`oracle.ts`). With the same seed the same users send the same requests in
 * the same order; how they interleave, and so which orders find stock and are there to be settled, may differ.
 *
 * Invariants:
 *   P1  of each SKU: loaded + acknowledged adjustments = available in Redis = available in MariaDB, + units in
 *       live orders; nothing negative, and nothing left in the pool of a closed sale event. Of no event more is in live
 *       orders than was moved to it, nobody has more than its limit, and its lines are at its price: none before the
 *       opening was asked for, none after the close was answered or its time is over, all in between (`sale-book.ts`)
 *   P2  an order has exactly the lines, the total and the owner that were asked for, told and kept
 *   P3  what was acknowledged with 201 is in MariaDB (the run cuts no power: the other half of P3 is not proved here)
 *   P4  one order, or one movement, for each key however often it was sent; all replies to it alike to the letter;
 *       no order that nobody was told of but those whose answer was 504 or a broken connection
 *   and: an order is readable at once, as its 201 had it to the letter; each order ended as the replies to confirm and cancel said; wishlists are what the replies said; refusals
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
  /** Kills whoever is named and starts it again, with users at work meanwhile; puts a new url into `urls`. */
  readonly kill: Kill;
  /** Called every few seconds, and when somebody who was killed serves again, with a line for people. */
  readonly onProgress?: (line: string) => void;
}

export interface RunSummary {
  readonly seed: number;
  readonly orders: number;
  readonly requests: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Of this process, the most it ever had, and what it used of one core. */
  readonly driverMegabytes: number;
  readonly driverBusy: number;
  readonly accepted: number;
  readonly acceptedPerSecond: number;
  readonly replayed: number;
  /** Requests without an answer; of them, asked again with their key; and their orders that were found in MariaDB. */
  readonly unknown: number;
  readonly askedAgain: number;
  readonly unknownFound: number;
  readonly readAtOnce: number;
  readonly readLater: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly adjustments: number;
  /** Sale events that were created, and lines of orders that they sold. */
  readonly sales: number;
  readonly soldByEvents: number;
  /** Orders in MariaDB by what became of them. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<Fault, number>>;
  /** The first faults, in words. */
  readonly descriptions: readonly string[];
}

const PROGRESS_MS = 10_000;
/** Users whose orders are read once more at the end. */
const READ_DRAINED = 1_000;
const QUIET_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Runs it all on an engine that is up and empty, its writer running, its apis holding orders for a while. */
export async function runConcurrently(options: RunOptions): Promise<RunSummary> {
  const shop = drawShop(options.orders);
  await loadShop(options.urls[0]!, shop);
  const ledger = new Ledger(new Map(shop.map(({ sku, price }) => [sku, price])));
  const pool = new HttpPool();
  const plan = drawDisturbances(options.seed, options.orders);
  const disturbances = new Disturbances(plan, options.kill, (victim, seconds) =>
    options.onProgress?.(
      `${victim} killed at about ${ledger.asked} orders; it serves again after ${seconds.toFixed(1)} s`,
    ),
  );
  const sales = drawSales(options.seed, options.orders, shop);
  const operator = new Operator(sales, { urls: options.urls, ledger, pool, disturbances });
  const run = { ...options, shop, ledger, pool, disturbances, operator };
  try {
    const used = process.cpuUsage();
    const startMs = performance.now();
    await runUsers(run);
    const seconds = (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(used);
    if (!(await isQuiet(options.redis)))
      ledger.fault('lost', `MariaDB lacks entries after ${QUIET_MS} ms of quiet`);
    await readDrained(run);
    const findings = await consultOracle(run);
    return summarize(run, findings, { seconds, busy: (user + system) / 1e6 / seconds });
  } finally {
    pool.close();
  }
}

interface Run extends RunOptions {
  readonly shop: readonly ShopProduct[];
  readonly ledger: Ledger;
  readonly pool: HttpPool;
  readonly disturbances: Disturbances;
  readonly operator: Operator;
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
async function runUsers(run: Run): Promise<void> {
  const { ledger, disturbances, operator } = run;
  const later = new Set<Promise<void>>();
  const schedules = drawUsers(run, run.shop);
  const progress = setInterval(
    () => run.onProgress?.(`${ledger.asked} of ${run.orders} orders asked for`),
    PROGRESS_MS,
  );
  const goOnLater = (work: Promise<void>) => {
    later.add(work);
    const done = () => later.delete(work);
    work.then(done, () => undefined); // one that failed stays, and is heard of at the end
  };
  const work = async () => {
    for (let drawn = schedules.next(); drawn; drawn = schedules.next()) {
      const shopper = shopperOf(run, `user ${drawn.user}`, { at: drawn.user, later: goOnLater });
      await shopper.run(drawn.steps);
    }
  };
  try {
    await Promise.all(Array.from({ length: run.connections }, work));
    await Promise.all(later);
    disturbances.tick(Number.POSITIVE_INFINITY);
    await operator.finish();
    await disturbances.whenCalm();
  } finally {
    clearInterval(progress);
  }
}

function shopperOf(run: Run, name: string, more: { at: number; later?: (work: Promise<void>) => void }) {
  const { pool, urls, ledger, disturbances, operator } = run;
  const onStep = () => {
    disturbances.tick(ledger.asked);
    operator.tick(ledger.asked);
  };
  return new Shopper({ later: () => undefined, ...more, name, pool, urls, ledger, disturbances, onStep });
}

/** The journal is empty now, so these are read in MariaDB. */
async function readDrained(run: Run): Promise<void> {
  const chosen = new Map<string, ToldOrder[]>();
  for (const told of run.ledger.orders.values()) {
    if (told.text === null) continue;
    const others = chosen.get(told.user);
    if (others) others.push(told);
    else if (chosen.size < READ_DRAINED) chosen.set(told.user, [told]);
  }
  for (const [user, orders] of chosen) await shopperOf(run, user, { at: orders.length }).readAgain(orders);
}

function drawUsers({ seed, orders }: RunOptions, shop: readonly ShopProduct[]) {
  let [user, asked] = [0, 0];
  return {
    next(): { user: number; steps: Step[] } | null {
      if (asked >= orders) return null;
      const steps = drawSchedule(seed, user, shop);
      asked += countOrders(steps);
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

function summarize(
  run: Run,
  { statuses }: Findings,
  { seconds, busy }: { seconds: number; busy: number },
): RunSummary {
  const { ledger } = run;
  const none = { doubled: 0, lost: 0, untold: 0, oversold: 0, drifted: 0, wrong: 0 };
  return {
    seed: run.seed,
    orders: ledger.asked,
    requests: ledger.requests,
    seconds: Math.round(seconds * 10) / 10,
    requestsPerSecond: Math.round(ledger.requests / seconds),
    driverMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
    driverBusy: Math.round(busy * 100) / 100,
    accepted: ledger.orders.size,
    acceptedPerSecond: Math.round(ledger.orders.size / seconds),
    replayed: ledger.replayed,
    refused: Object.fromEntries([...ledger.refused].sort()),
    unknown: ledger.withoutAnswer,
    askedAgain: ledger.askedAgain,
    unknownFound: ledger.unknownFound,
    readAtOnce: ledger.readAtOnce,
    readLater: ledger.readLater,
    kills: run.disturbances.done,
    adjustments: ledger.adjustments.size,
    sales: ledger.sales.sales.size,
    soldByEvents: ledger.sales.lines,
    statuses: Object.fromEntries([...statuses].sort()),
    faults: { ...none, ...Object.fromEntries(ledger.faults) },
    descriptions: ledger.descriptions,
  };
}
