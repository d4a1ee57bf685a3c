import type { ProductToPut } from '../engine/domain/product.ts';
import { SeededRandom } from './random.ts';
import type { ScenarioOrder } from './scenarios.ts';

/** A shop of as many made-up products as are wanted, and orders of so many lines over all of them evenly. */
export interface MadeUpShop {
  readonly products: number;
  /** Lines of each order, all of distinct SKUs. */
  readonly lines: number;
}

const USERS = 500;
const SEED = 20_111_102;
const MOST_OF_A_LINE = 3;
const PRICE = 1_000;
const SKU_DIGITS = 7;
/** So many orders that most of a large catalogue is touched, and so few that large orders fit the generator. */
const MOST_ORDERS = 65_536;
const MOST_LINES = 400_000;

/** The products of the shop, each with `stock` units; their SKUs have 8 characters. */
export function* madeUpProducts({ products }: MadeUpShop, stock: number): Iterable<ProductToPut> {
  const details = { producer: null, type: null, function: null, description: null };
  for (let at = 0; at < products; at += 1)
    yield {
      sku: madeUpSku(at),
      price: PRICE + (at % PRICE),
      stock,
      details: { name: `Product ${at}`, ...details },
    };
}

/** Different orders for the load generator, at least one a connection: the same list every time. */
export function madeUpOrders(shop: MadeUpShop, connections: number): ScenarioOrder[] {
  const count = Math.max(connections, Math.min(MOST_ORDERS, Math.floor(MOST_LINES / shop.lines)));
  return Array.from(ordersOf(shop, count));
}

/** So many orders, one after another; users have 9 to 11 characters. */
export function* ordersOf(shop: MadeUpShop, count: number): Iterable<ScenarioOrder> {
  const random = new SeededRandom(SEED);
  for (let at = 0; at < count; at += 1)
    yield { user: `shopper-${at % USERS}`, lines: drawLines(shop, random) };
}

function drawLines({ products, lines }: MadeUpShop, random: SeededRandom) {
  const chosen = new Set<number>();
  while (chosen.size < lines) chosen.add(random.below(products));
  return Array.from(chosen, (at) => ({ sku: madeUpSku(at), quantity: 1 + random.below(MOST_OF_A_LINE) }));
}

function madeUpSku(at: number): string {
  return `P${String(at).padStart(SKU_DIGITS, '0')}`;
}
