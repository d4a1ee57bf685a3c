import type { Database } from '../../engine/database/database.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { type Ledger, type Said, type ToldOrder, write, writeSold } from './ledger.ts';
import { checkLimits } from './limit-oracle.ts';
import type { ShopProduct } from './schedule.ts';

export interface OracleOptions {
  readonly ledger: Ledger;
  readonly shop: readonly ShopProduct[];
  readonly redis: RedisClient;
  readonly database: Database;
  /** What the names of this run's users and products begin with, where the servers have seen others; '' = all is its own. */
  readonly prefix?: string;
}

/** What the oracle counted in MariaDB. */
export interface Findings {
  readonly statuses: ReadonlyMap<string, number>;
}

interface KeptOrderRow {
  readonly id: string;
  readonly user_id: string;
  readonly status: string;
  readonly total: number;
}

const ORDERS_OF_A_PAGE = 2_000;

/** Compares what is kept with what was told, when all is quiet and drained. Faults go to the ledger. */
export async function consultOracle(options: OracleOptions): Promise<Findings> {
  const live = new Map<string, number>();
  const bought = new Map<string, number>();
  const statuses = await checkOrders(options, { live, bought });
  checkSales(options.ledger, bought);
  options.ledger.checkUnnamed();
  checkLimits(options.ledger);
  const moved = await checkAdjustments(options);
  await checkStock(options, live, moved);
  await checkWishlists(options);
  const { drifts } = await reconcile({ ...options, clock: systemClock });
  for (const drift of drifts) options.ledger.fault('drifted', `reconcile: ${JSON.stringify(drift)}`);
  return { statuses };
}

/** Units in live orders: by SKU, and of sale events by event, SKU and user, NUL between them. */
interface Taken {
  readonly live: Map<string, number>;
  readonly bought: Map<string, number>;
}

/** P2, P4: every order that was told is there once and as told, and no other. Adds what they took to `taken`. */
async function checkOrders({ ledger, database, shop, prefix = '' }: OracleOptions, taken: Taken) {
  const regular = new Map(shop.map(({ sku, price }) => [sku, price]));
  const statuses = new Map<string, number>();
  for (let after = ''; ; ) {
    const page = await readOrders(database, prefix, after);
    for (const { order, lines } of page) {
      statuses.set(order.status, (statuses.get(order.status) ?? 0) + 1);
      checkOrder(ledger, order, write(lines));
      checkSold(ledger, order, { lines, regular });
      if (order.status === 'held' || order.status === 'placed') addUnits(taken, order.user_id, lines);
    }
    if (page.length < ORDERS_OF_A_PAGE) break;
    after = page.at(-1)!.order.id;
  }
  for (const [id, told] of ledger.orders)
    if (!told.kept) ledger.fault('lost', `${id} of ${told.user} is not in MariaDB`);
  return statuses;
}

async function readOrders({ query }: Database, prefix: string, after: string) {
  const page = query
    .selectFrom('orders')
    .where('id', '>', after)
    .where('user_id', 'like', `${prefix}%`)
    .orderBy('id')
    .limit(ORDERS_OF_A_PAGE);
  const orders = await page.select(['id', 'user_id', 'status', 'total']).execute();
  const last = orders.at(-1)?.id ?? after;
  const items = await query
    .selectFrom('order_items')
    .select(['order_id', 'sku', 'pool', 'quantity', 'unit_price'])
    .where('order_id', '>', after)
    .where('order_id', '<=', last)
    .orderBy('order_id')
    .orderBy('line')
    .execute();
  const linesOf = groupBy(items, 'order_id');
  return orders.map((order) => ({ order, lines: linesOf.get(order.id) ?? [] }));
}

function checkOrder(ledger: Ledger, order: KeptOrderRow, lines: string): void {
  const told = ledger.orders.get(order.id);
  if (told) checkTold(ledger, order, lines, told);
  else checkUntold(ledger, order, lines);
}

/** As it was told, and ended as its replies said. */
function checkTold(ledger: Ledger, order: KeptOrderRow, lines: string, told: ToldOrder): void {
  told.kept = true;
  const wanted = `${told.user}: ${told.lines} for ${told.total}`;
  const kept = `${order.user_id}: ${lines} for ${order.total}`;
  if (kept !== wanted) ledger.fault('wrong', `${order.id} is kept as ${kept}, was told as ${wanted}`);
  const ends = possibleEnds(told);
  if (!ends.includes(order.status))
    ledger.fault('wrong', `${order.id} is ${order.status}, its replies said ${[...told.said]}`);
}

interface KeptLine {
  readonly sku: string;
  readonly pool: string;
  readonly quantity: number;
  readonly unit_price: number;
}

/** P2: pools and prices are those that were told; of an order that nobody was told of, those of the shop or of a sale. */
function checkSold(
  ledger: Ledger,
  { id }: KeptOrderRow,
  { lines, regular }: { lines: readonly KeptLine[]; regular: ReadonlyMap<string, number> },
): void {
  const sold = lines.map(({ pool, unit_price: price }) => ({ pool, price }));
  const asShop = lines.map(({ sku }) => ({ pool: 'regular', price: regular.get(sku)! }));
  const asSale = lines.map(({ sku, pool }) => {
    return { pool, price: ledger.sales.itemOf(pool, sku)?.price ?? regular.get(sku)! };
  });
  const told = ledger.orders.get(id);
  const wanted = told ? (told.sold ?? writeSold(asShop)) : writeSold(asSale);
  if (writeSold(sold) !== wanted)
    ledger.fault('wrong', `${id} is kept as sold by ${writeSold(sold)}, not ${wanted}`);
}

/** P1: of no sale more is in live orders than its opening moved there, and nobody has more than its limit. */
function checkSales(ledger: Ledger, bought: ReadonlyMap<string, number>): void {
  const sold = new Map<string, number>();
  for (const [field, units] of bought) {
    const [event, sku, user] = field.split('\0') as [string, string, string];
    sold.set(`${event}\0${sku}`, (sold.get(`${event}\0${sku}`) ?? 0) + units);
    const limit = ledger.sales.itemOf(event, sku)?.limitPerUser ?? Number.POSITIVE_INFINITY;
    if (units > limit)
      ledger.fault('oversold', `${user} has ${units} of "${sku}" of ${event}, limit ${limit}`);
  }
  for (const [field, units] of sold) {
    const [event, sku] = field.split('\0') as [string, string];
    const moved = ledger.sales.sales.get(event)?.moved.get(sku) ?? 0;
    if (units > moved) ledger.fault('oversold', `${units} of the ${moved} units of "${sku}" of ${event}`);
  }
}

/** Only a request without an answer may have left an order that nobody was told of, and that order is whole. */
function checkUntold(ledger: Ledger, { id, user_id }: KeptOrderRow, lines: string): void {
  if (ledger.forgiven.has(id)) {
    ledger.taken.delete(id); // it had got through after all
    return;
  }
  const open = ledger.unanswered.get(user_id) ?? [];
  const at = open.findIndex(
    (contents) => contents === null || contents.some((each) => ledger.areSame(each, lines)),
  );
  if (at === -1) {
    ledger.fault('untold', `nobody was told of ${id} of ${user_id}`);
  } else {
    open.splice(at, 1);
    ledger.unknownFound += 1;
  }
}

/** The statuses that agree with all replies; none when the replies contradict each other. */
export function possibleEnds({ said, isHeld }: ToldOrder): readonly string[] {
  // One that was placed at once is as good as confirmed.
  if (said.has('undone')) return ['placed', 'cancelled', 'expired'];
  const has = (each: Said) => said.has(each) || (each === 'confirmed' && !isHeld);
  const wasCancelled = has('cancelled') || has('found cancelled');
  if (wasCancelled && has('expired')) return [];
  if (has('found cancelled') && !has('cancelled') && !has('?')) return [];
  if (wasCancelled) return ['cancelled'];
  if (has('expired')) return has('confirmed') ? [] : ['expired'];
  if (has('confirmed')) return has('?') ? ['placed', 'cancelled'] : ['placed'];
  return has('?') ? ['placed', 'cancelled', 'expired'] : ['expired'];
}

/** P4: each adjustment that was acknowledged has moved its units once. Gives what was moved of each SKU. */
async function checkAdjustments({
  ledger,
  database,
  prefix = '',
}: OracleOptions): Promise<Map<string, number>> {
  const movements = await database.query
    .selectFrom('stock_movements')
    .select(['sku', 'delta', 'reason'])
    .where('kind', '=', 'adjustment')
    .where('sku', 'like', `${prefix}%`)
    .execute();
  const moved = new Map<string, number>();
  const seen = new Set<string>();
  for (const { sku, delta, reason } of movements) {
    const told = ledger.adjustments.get(String(reason));
    if (told?.sku !== sku || told.delta !== delta)
      ledger.fault('untold', `adjustment "${reason}" of "${sku}"`);
    if (seen.has(String(reason))) ledger.fault('doubled', `adjustment "${reason}"`);
    seen.add(String(reason));
    moved.set(sku, (moved.get(sku) ?? 0) + delta);
  }
  for (const [reason, { certain }] of ledger.adjustments)
    if (certain && !seen.has(reason)) ledger.fault('lost', `adjustment "${reason}" is not in MariaDB`);
  return moved;
}

/** P1: loaded + adjustments = available, in Redis and in MariaDB, + units in live orders; nothing negative. */
async function checkStock(
  { ledger, shop, redis, database, prefix = '' }: OracleOptions,
  live: ReadonlyMap<string, number>,
  moved: ReadonlyMap<string, number>,
): Promise<void> {
  const isOurs = (name: string) => name.startsWith(prefix);
  const inRedis = await redis.hgetall(KEYS.levels);
  const all = await database.query.selectFrom('stock_levels').selectAll().execute();
  const rows = all.filter(({ sku }) => isOurs(sku));
  for (const { sku, pool, available } of rows)
    if (pool !== 'regular' && available !== 0)
      ledger.fault('drifted', `${available} units of "${sku}" are left in the closed sale ${pool}`);
  const inDatabase = new Map(
    rows.filter(({ pool }) => pool === 'regular').map(({ sku, available }) => [sku, available]),
  );
  const fields = Object.keys(inRedis).filter(isOurs);
  if (fields.length !== shop.length)
    ledger.fault('drifted', `Redis has ${fields.length} levels of ${shop.length} products`);
  for (const { sku, stock } of shop) {
    const [units, sold] = [stock + (moved.get(sku) ?? 0), live.get(sku) ?? 0];
    const levels = [Number(inRedis[sku]), inDatabase.get(sku)];
    const told = `"${sku}": ${units} units, ${sold} in live orders, ${levels} available`;
    if (sold > units || levels.some((level) => level! < 0)) ledger.fault('oversold', told);
    if (levels.some((level) => level !== units - sold)) ledger.fault('drifted', told);
  }
}

/** Wishlists are what the replies said; of users that are left out nobody knows. */
async function checkWishlists({ ledger, database, prefix = '' }: OracleOptions): Promise<void> {
  const items = database.query.selectFrom('wishlist_items').where('user_id', 'like', `${prefix}%`);
  const rows = await items.selectAll().execute();
  const kept = groupBy(rows, 'user_id');
  for (const [user, wanted] of ledger.wishlists) {
    const given = new Map((kept.get(user) ?? []).map(({ sku, quantity }) => [sku, quantity]));
    const same = given.size === wanted.size && [...wanted].every(([sku, units]) => given.get(sku) === units);
    if (!same) ledger.fault('wrong', `the wishlist of ${user} is kept as ${[...given]}, not ${[...wanted]}`);
  }
}

function addUnits({ live, bought }: Taken, user: string, lines: readonly KeptLine[]): void {
  const add = (units: Map<string, number>, field: string, quantity: number) =>
    units.set(field, (units.get(field) ?? 0) + quantity);
  for (const { sku, pool, quantity } of lines) {
    add(live, sku, quantity);
    if (pool !== 'regular') add(bought, `${pool}\0${sku}\0${user}`, quantity);
  }
}

function groupBy<Row, Name extends keyof Row>(rows: readonly Row[], name: Name): Map<Row[Name], Row[]> {
  const groups = new Map<Row[Name], Row[]>();
  for (const row of rows) {
    const group = groups.get(row[name]);
    if (group) group.push(row);
    else groups.set(row[name], [row]);
  }
  return groups;
}
