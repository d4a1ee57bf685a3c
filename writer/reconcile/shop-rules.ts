import type { HoldRecord } from '../../engine/database/statements/read-hold-pages.ts';
import type { ProductRecord } from '../../engine/database/statements/read-product-pages.ts';
import { packDetails } from '../../engine/domain/product.ts';
import type { CutHold, CutProduct } from '../../engine/redis/cut-readers.ts';
import { type Drift, driftOf, minus } from './drift.ts';
import type { Rule, Sides } from './rule.ts';

/** Prices and what is shown of products, by SKU. */
export const productRule: Rule<Pick<ProductRecord, 'price' | 'details'>, CutProduct> = {
  touched: ({ products }) => products.keys(),

  expect(sku, kept, { products }) {
    const row = products.get(sku);
    return row ? { price: row.price, details: row } : kept;
  },

  judge(sku, { redis, kept, expected }) {
    const drifts: Drift[] = [];
    const [has, wanted] = [redis?.price ?? null, expected?.price ?? null];
    const figures = { redis: has, database: kept?.price ?? null, expected: wanted };
    if (has !== wanted)
      drifts.push(driftOf({ kind: 'price', sku, ...figures, difference: minus(has, wanted) }));
    if (redis && expected && shown(redis) !== shown(expected)) {
      const isThere = { redis: isShown(redis), database: isShown(kept), expected: isShown(expected) };
      drifts.push(driftOf({ kind: 'details', sku, ...isThere }));
    }
    return drifts;
  },
};

const shown = (product: CutProduct | undefined) => product?.details && packDetails(product.details);
const isShown = (product: CutProduct | undefined) => Number(Boolean(product?.details));

/** SKU -> quantity. */
type Lines = ReadonlyMap<string, number>;

/** Wishlists, by user. */
export const wishlistRule: Rule<Lines, Lines> = {
  touched: ({ wishlists }) => wishlists.keys(),

  expect(user, kept, { wishlists }) {
    const change = wishlists.get(user);
    if (!change) return kept;
    return new Map([...(change.isEmptied ? [] : (kept ?? [])), ...change.lines]);
  },

  judge(user, { redis = NO_LINES, kept = NO_LINES, expected = NO_LINES }) {
    return [...new Set([...redis.keys(), ...expected.keys()])].flatMap((sku) => {
      const [has, wanted] = [redis.get(sku) ?? 0, expected.get(sku) ?? 0];
      if (has === wanted) return [];
      const figures = {
        redis: has,
        database: kept.get(sku) ?? 0,
        expected: wanted,
        difference: has - wanted,
      };
      return [driftOf({ kind: 'wishlist', sku, user, ...figures })];
    });
  },
};

const NO_LINES: Lines = new Map();

type KeptHold = Pick<HoldRecord, 'deadline' | 'units'>;

/** Holds, by order id. */
export const holdRule: Rule<KeptHold, CutHold> = {
  /** What is held by the backlog; of what ended, Redis may have too much, and a scan finds that. */
  *touched({ holds }) {
    for (const [id, deadline] of holds) if (deadline !== null) yield id;
  },

  expect(id, kept, { holds }) {
    const deadline = holds.get(id);
    if (deadline === undefined) return kept;
    return deadline === null ? undefined : { deadline, units: null };
  },

  judge(order, sides) {
    const { redis, kept, expected } = sides;
    if (redis && expected) return compareHold(order, sides);
    if (!redis && !expected) return [];
    const [has, wanted] = [Number(Boolean(redis)), Number(Boolean(expected))];
    const figures = { redis: has, database: Number(Boolean(kept)), expected: wanted };
    return [driftOf({ kind: 'hold', order, ...figures, difference: has - wanted })];
  },
};

function compareHold(order: string, { redis, kept, expected }: Sides<KeptHold, CutHold>): Drift[] {
  const drifts: Drift[] = [];
  const [has, wanted] = [redis!.deadline, expected!.deadline];
  if (has !== wanted) {
    const figures = { redis: has, database: kept?.deadline ?? null, expected: wanted };
    drifts.push(driftOf({ kind: 'hold_deadline', order, ...figures, difference: minus(has, wanted) }));
  }
  if (!areSameUnits(redis!.units, expected!.units)) {
    const [units, due] = [sum(redis!.units), sum(expected!.units)];
    const figures = { redis: units, database: sum(kept?.units ?? null), expected: due };
    drifts.push(driftOf({ kind: 'hold_units', order, ...figures, difference: minus(units, due) }));
  }
  return drifts;
}

/** The backlog is not asked for the lines of an order: it had them from Redis itself. */
function areSameUnits(redis: CutHold['units'], expected: CutHold['units']): boolean {
  if (redis === null) return false;
  return expected === null || JSON.stringify(redis) === JSON.stringify(expected);
}

function sum(units: CutHold['units']): number | null {
  if (units === null) return null;
  return units.reduce<number>((total, each) => total + (typeof each === 'number' ? each : 0), 0);
}
