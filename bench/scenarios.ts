import { readFileSync } from 'node:fs';
import { readCatalogueFile } from '../cli/catalogue-file.ts';
import type { RequestedLine } from '../engine/domain/order.ts';
import type { ProductToPut } from '../engine/domain/product.ts';
import { packageRoot } from '../engine/runtime/package-root.ts';
import { SeededRandom } from './random.ts';

export const SCENARIO_NAMES = ['even', 'hot', 'baskets', 'sell-out'] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** What each scenario asks, in words for a report. */
export const SCENARIO_TITLES: Readonly<Record<ScenarioName, string>> = {
  even: '3 lines over 200 products evenly, stock for all',
  hot: 'every order on the same 3 products',
  baskets: 'the real baskets of a shop, median 16 lines',
  'sell-out': '3 lines over 200 products, stock for a tenth',
};

/** One body that the load generator sends. */
export interface ScenarioOrder {
  readonly user: string;
  readonly lines: readonly RequestedLine[];
}

const USERS = 500;
const FEWEST_ORDERS = 4_096;
/** A connection goes round its own orders; with fewer it would always be the same two or three. */
const ORDERS_OF_A_CONNECTION = 8;
const PRODUCTS = 200;
const LINES = 3;
const SEED = 20_111_101;
export const PLENTY_UNITS = 1_000_000_000;

/** The orders of a scenario: the same list whoever asks. */
export function buildOrders(scenario: ScenarioName, connections: number): ScenarioOrder[] {
  const count = Math.max(FEWEST_ORDERS, connections * ORDERS_OF_A_CONNECTION);
  const lines = linesOf(scenario);
  return Array.from({ length: count }, (_, index) => ({
    user: `shopper-${index % USERS}`,
    lines: lines(index),
  }));
}

/** The products that a scenario needs, each with `stock` units. */
export async function readProducts(scenario: ScenarioName, stock: number): Promise<ProductToPut[]> {
  const products = await readCatalogueFile(`${packageRoot}/bench/data/products.csv`, stock);
  return scenario === 'baskets' ? products : products.slice(0, PRODUCTS);
}

/** Units of each product such that about a tenth of `orders` orders can be had. */
export function scarceStock(orders: number): number {
  const units = orders * LINES * MEAN_QUANTITY;
  return Math.max(1, Math.ceil(units / 10 / PRODUCTS));
}

const MOST_OF_A_LINE = 3;
const MEAN_QUANTITY = (1 + MOST_OF_A_LINE) / 2;

function linesOf(scenario: ScenarioName): (index: number) => RequestedLine[] {
  if (scenario === 'baskets') return realBaskets();
  const skus = readSkus();
  if (scenario === 'hot') return () => skus.slice(0, LINES).map((sku) => ({ sku, quantity: 1 }));
  const random = new SeededRandom(SEED);
  return () => evenLines(skus, random);
}

function evenLines(skus: readonly string[], random: SeededRandom): RequestedLine[] {
  const chosen = new Set<string>();
  while (chosen.size < LINES) chosen.add(skus[random.below(skus.length)]!);
  return Array.from(chosen, (sku) => ({ sku, quantity: 1 + random.below(MOST_OF_A_LINE) }));
}

function realBaskets(): (index: number) => RequestedLine[] {
  const baskets = readRows('baskets-2011-11.jsonl').map((row) => {
    const { items } = JSON.parse(row) as { items: [string, number][] };
    return items.map(([sku, quantity]) => ({ sku, quantity }));
  });
  return (index) => baskets[index % baskets.length]!;
}

function readSkus(): string[] {
  return readRows('products.csv')
    .slice(1, PRODUCTS + 1)
    .map((row) => row.slice(0, row.indexOf(',')));
}

function readRows(file: string): string[] {
  return readFileSync(`${packageRoot}/bench/data/${file}`, 'utf8').trim().split('\n');
}
