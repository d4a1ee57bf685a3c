import { POPULAR, type ShopProduct } from './schedule.ts';
import { SeededRandom } from './seeded-random.ts';

export interface SaleItem {
  readonly sku: string;
  readonly stock: number;
  readonly price: number;
  readonly limitPerUser: number | null;
}

/** A sale event that the operator creates and opens when `openAt` orders have been asked for, and closes at `closeAt`. */
export interface PlannedSale {
  readonly name: string;
  readonly openAt: number;
  readonly closeAt: number;
  /** How long it sells by its own times; some are over before anybody closes them. */
  readonly lastsMs: number;
  readonly holdSeconds: number;
  readonly items: readonly SaleItem[];
}

const ORDERS_OF_A_ROUND = 2_000;
const MIN_ROUNDS = 3;
const SALES_OF_A_ROUND = 2;
const ITEMS = POPULAR / SALES_OF_A_ROUND;
const LASTS_MS = [500, 3_600_000, 3_600_000];
const STOCKS = [3, 30, 300];
const LIMITS = [null, 1, 2, 4];

/** Rounds of two sales at once, which share no product, drawn from the seed. */
export function drawSales(seed: number, orders: number, shop: readonly ShopProduct[]): PlannedSale[] {
  const random = new SeededRandom(seed ^ 0x5a1e5);
  const rounds = Math.max(MIN_ROUNDS, Math.ceil(orders / ORDERS_OF_A_ROUND));
  const share = orders / rounds;
  return Array.from({ length: rounds * SALES_OF_A_ROUND }, (_, at): PlannedSale => {
    const round = Math.floor(at / SALES_OF_A_ROUND);
    return {
      name: `sale-${at}`,
      openAt: Math.floor(share * (round + random.below(25) / 100)),
      closeAt: Math.floor(share * (round + 0.6 + random.below(30) / 100)),
      lastsMs: random.pick(LASTS_MS),
      holdSeconds: random.below(3),
      items: drawItems(random, shop, at % SALES_OF_A_ROUND),
    };
  });
}

/** Every second of the products that are asked for most, from `first` on. */
function drawItems(random: SeededRandom, shop: readonly ShopProduct[], first: number): SaleItem[] {
  return Array.from({ length: ITEMS }, (_, at) => {
    const { sku, price } = shop[first + SALES_OF_A_ROUND * at]!;
    const limitPerUser = random.pick(LIMITS);
    return { sku, stock: random.pick(STOCKS), price: Math.floor(price / 2), limitPerUser };
  });
}
