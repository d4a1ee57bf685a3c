import { SeededRandom } from './seeded-random.ts';

/** What each virtual user is going to ask, drawn from the seed alone. */

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface ShopProduct {
  readonly sku: string;
  readonly price: number;
  readonly stock: number;
}

export type Settlement = 'confirm' | 'cancel';

/** How an order that was accepted is to end: rounds one after the other, the settlements of a round at once. */
export interface Ending {
  readonly rounds: readonly (readonly Settlement[])[];
  /** Null: at once. Else when, in ms after the end of the hold (negative: before). */
  readonly lateMs: number | null;
}

export interface OrderStep {
  readonly kind: 'order';
  /** Null: the wishlist. */
  readonly lines: readonly Line[] | null;
  readonly key: string | null;
  /** The same request that often at once, each to another api; more than one only with a key. */
  readonly copies: number;
  /** Another body under the same key, together with the copies or after them. */
  readonly other: { readonly lines: readonly Line[]; readonly after: boolean } | null;
  /** The same request once more when all answers are in. */
  readonly again: boolean;
  /** Read through another api right after the 201. */
  readonly readAtOnce: boolean;
  /** Read once more when the user is done, and when all is drained. */
  readonly readLater: boolean;
  readonly ending: Ending;
}

export interface WishStep {
  readonly kind: 'wish';
  readonly sku: string;
  /** 0: taken off. */
  readonly quantity: number;
}

export interface AdjustStep {
  readonly kind: 'adjust';
  readonly sku: string;
  readonly delta: number;
  /** Names the step, so that its movement in MariaDB can be told from all others. */
  readonly reason: string;
  readonly key: string | null;
  readonly copies: number;
}

export interface MalformedStep {
  readonly kind: 'malformed';
  readonly body: string;
  readonly code: string;
}

/** Several orders of one product at once, each of its own: what a limit of a sale event has to stand. */
export interface RushStep {
  readonly kind: 'rush';
  readonly orders: readonly OrderStep[];
}

export type Step = OrderStep | RushStep | WishStep | AdjustStep | MalformedStep;

const PRODUCTS = 48;
const STEPS_OF_A_USER = 24;
const RUSH_ORDERS = 4;
/** So many of the first products are in sale events, by and by. */
export const POPULAR = 16;
/** Units that orders ask of a product, for each order of the run; measured roughly, since only its size matters. */
const DEMAND_OF_AN_ORDER = 0.12;
/** Stock as a share of that demand: some products run out at once, some in the end, some never. */
const STOCK_SHARES = [0.1, 0.4, 1, 2, 4, 0];
/** Most requests of a run are copies: enough of them, not more. */
const COPIES = [1, 1, 2, 4];
const MAX_LATE_MS = 120;
const READ_AT_ONCE_PERCENT = 20;
const READ_LATER_PERCENT = 4;

const ENDINGS: readonly (readonly (readonly Settlement[])[])[] = [
  [],
  [],
  [['confirm']],
  [['confirm']],
  [['confirm', 'confirm']],
  [['cancel']],
  [['cancel', 'cancel']],
  [['confirm'], ['cancel']],
  [['cancel'], ['confirm']],
  [['confirm', 'cancel']],
  [['confirm', 'cancel', 'cancel', 'confirm']],
];

/** The catalogue of a run of so many orders. */
export function drawShop(orders: number): ShopProduct[] {
  return Array.from({ length: PRODUCTS }, (_, at) => ({
    sku: at % 5 === 0 ? `{te}:茶 ${at}` : `sku-${at}`,
    price: 100 + 7 * at,
    stock: Math.ceil(orders * DEMAND_OF_AN_ORDER * STOCK_SHARES[at % STOCK_SHARES.length]!),
  }));
}

/** How many orders steps ask for, copies not counted. */
export function countOrders(steps: readonly Step[]): number {
  const counts = steps.map((step) =>
    step.kind === 'rush' ? step.orders.length : Number(step.kind === 'order'),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The steps of one user, in the order in which they will be taken. */
export function drawSchedule(seed: number, user: number, shop: readonly ShopProduct[]): Step[] {
  const random = new SeededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(user + 1, 0x85ebca6b));
  return Array.from({ length: STEPS_OF_A_USER }, (_, at) => drawStep(random, shop, `${user}-${at}`));
}

function drawStep(random: SeededRandom, shop: readonly ShopProduct[], name: string): Step {
  const share = random.below(100);
  if (share < 45) return drawOrder(random, drawLines(random, shop), name);
  if (share < 57) return drawOrder(random, null, name);
  if (share < 61) return drawRush(random, shop, name);
  if (share < 86) return { kind: 'wish', sku: drawSku(random, shop), quantity: random.below(4) };
  if (share < 94) return drawAdjustment(random, shop, name);
  return drawMalformed(random, shop);
}

function drawOrder(random: SeededRandom, lines: readonly Line[] | null, name: string): OrderStep {
  const keyed = random.chance(50);
  const other = keyed && lines && random.chance(30);
  return {
    kind: 'order',
    lines,
    key: keyed ? `order-${name}` : null,
    copies: keyed ? random.pick(COPIES) : 1,
    other: other ? { lines: [...lines, { ...lines[0]!, quantity: 1 }], after: random.chance(50) } : null,
    again: keyed && random.chance(30),
    readAtOnce: random.chance(READ_AT_ONCE_PERCENT),
    readLater: random.chance(READ_LATER_PERCENT),
    ending: drawEnding(random),
  };
}

function drawRush(random: SeededRandom, shop: readonly ShopProduct[], name: string): RushStep {
  const lines = [{ sku: shop[random.below(POPULAR)]!.sku, quantity: random.between(1, 2) }];
  const orders = Array.from({ length: RUSH_ORDERS }, (): OrderStep => {
    return { ...drawOrder(random, lines, name), key: null, copies: 1, other: null, again: false };
  });
  return { kind: 'rush', orders };
}

function drawEnding(random: SeededRandom): Ending {
  const late = random.chance(20);
  return {
    rounds: random.pick(ENDINGS),
    lateMs: late ? random.between(-MAX_LATE_MS, MAX_LATE_MS) : null,
  };
}

function drawAdjustment(random: SeededRandom, shop: readonly ShopProduct[], name: string): AdjustStep {
  const keyed = random.chance(60);
  const delta = random.between(1, 12);
  return {
    kind: 'adjust',
    sku: drawSku(random, shop),
    delta: random.chance(40) ? -delta : delta,
    reason: `step ${name}`,
    key: keyed ? `adjustment-${name}` : null,
    copies: keyed ? random.between(1, 4) : 1,
  };
}

function drawMalformed(random: SeededRandom, shop: readonly ShopProduct[]): MalformedStep {
  const quantity = random.pick(['-3', '0', '1.5', '1e3', '"3"', 'null', 'true', '9007199254740993']);
  const sku = JSON.stringify(drawSku(random, shop));
  const body = random.pick([
    `{"items":[{"sku":${sku},"quantity":${quantity}}]}`,
    `{"items":[{"sku":${sku},"quantity":1},{"sku":${sku},"quantity":${quantity}}]}`,
    `{"items":[{"sku":${sku},"quantity":1,"quantity":2}]}`,
    '{"items":[]}',
    `{"items":[{"sku":${sku},"quantity":1}`,
    `{"items":[{"sku":${sku},"quantity":1},{"sku":"no such product","quantity":1}]}`,
  ]);
  const unknown = body.includes('no such product');
  return { kind: 'malformed', body, code: unknown ? 'unknown_product' : 'invalid_request' };
}

/** One to six lines; a product may be named twice. */
function drawLines(random: SeededRandom, shop: readonly ShopProduct[]): Line[] {
  return Array.from({ length: random.between(1, 6) }, () => ({
    sku: drawSku(random, shop),
    quantity: random.between(1, 3),
  }));
}

/** The first products of the shop are asked for most. */
function drawSku(random: SeededRandom, shop: readonly ShopProduct[]): string {
  return shop[Math.min(random.below(shop.length), random.below(shop.length))]!.sku;
}
