import type { Ledger } from '../../engine/database/statements/read-ledger.ts';
import { REGULAR_POOL } from '../../engine/domain/product.ts';
import type { Cut } from '../../engine/redis/cut.ts';
import type { Changes } from '../fold.ts';

/**
 * One thing that does not agree. `redis` and `database` are what each says, `expected` what it should be,
 * `difference` how far off; null where a side has nothing to say.
 *
 * - `level`: Redis's level is not MariaDB's with the backlog folded in (`difference` = redis - expected).
 * - `negative`: a level below zero.
 * - `ledger`: MariaDB's level is not its movements less its live orders (`difference` = database - expected).
 * - `price`, `wishlist`: the same comparison as `level`, of prices in minor units and of quantities.
 * - `hold`: an order is held in Redis and not in MariaDB with the backlog folded in (`difference` 1), or the reverse (-1).
 * - `order_total`: an order's total is not the sum of its lines, or one of the two is missing.
 * - `journal`: entries between the checkpoint and the cut are missing, or Redis is behind the checkpoint.
 */
export interface Drift {
  readonly sku: string | null;
  readonly pool: string | null;
  readonly kind: 'level' | 'negative' | 'ledger' | 'price' | 'wishlist' | 'hold' | 'order_total' | 'journal';
  readonly redis: number | null;
  readonly database: number | null;
  readonly expected: number | null;
  readonly difference: number | null;
  /** Whose wishlist, or which order. */
  readonly user?: string;
  readonly order?: string;
}

/** What is compared: Redis at a cut, MariaDB at a checkpoint, and what the journal did between the two. */
export interface Sides {
  readonly cut: Cut;
  readonly ledger: Ledger;
  readonly backlog: Changes;
}

/** Finds every drift. Pure: it sees nothing but the three sides, so a backlog of any size raises no alarm. */
export function compareSides(sides: Sides): Drift[] {
  return [
    ...compareLevels(sides),
    ...compareLedger(sides),
    ...comparePrices(sides),
    ...compareWishlists(sides),
    ...compareHolds(sides),
    ...sides.ledger.unsoundOrders.map(({ id, total, lines }): Drift => {
      const difference = total === null || lines === null ? null : total - lines;
      return {
        sku: null,
        pool: null,
        kind: 'order_total',
        redis: null,
        database: total,
        expected: lines,
        difference,
        order: id,
      };
    }),
  ];
}

function compareLevels({ cut, ledger, backlog }: Sides): Drift[] {
  const regular = ledger.levels.filter(({ pool }) => pool === REGULAR_POOL);
  const kept = new Map(regular.map(({ sku, available }) => [sku, available]));
  const expected = new Map([...kept].filter(([, available]) => available !== null) as [string, number][]);
  for (const { sku, available } of backlog.newLevels) expected.set(sku, available);
  for (const { sku, delta } of backlog.levels) expected.set(sku, (expected.get(sku) ?? 0) + delta);
  const drifts: Drift[] = [];
  for (const sku of union(cut.levels, expected)) {
    const redis = cut.levels.get(sku) ?? null;
    const sides = { sku, pool: REGULAR_POOL, redis, database: kept.get(sku) ?? null };
    const wanted = expected.get(sku) ?? null;
    if (redis !== wanted)
      drifts.push({ ...sides, kind: 'level', expected: wanted, difference: minus(redis, wanted) });
    if (redis !== null && redis < 0)
      drifts.push({ ...sides, kind: 'negative', expected: 0, difference: redis });
  }
  return drifts;
}

function compareLedger({ cut, ledger }: Sides): Drift[] {
  return ledger.levels
    .filter(({ available, moved, ordered }) => available !== moved - ordered)
    .map(({ sku, pool, available, moved, ordered }) => ({
      sku,
      pool,
      kind: 'ledger',
      redis: pool === REGULAR_POOL ? (cut.levels.get(sku) ?? null) : null,
      database: available,
      expected: moved - ordered,
      difference: minus(available, moved - ordered),
    }));
}

function comparePrices({ cut, ledger, backlog }: Sides): Drift[] {
  const expected = new Map(ledger.prices);
  for (const { sku, price } of backlog.products) expected.set(sku, price);
  return [...union(cut.prices, expected)]
    .filter((sku) => cut.prices.get(sku) !== expected.get(sku))
    .map((sku) => {
      const redis = cut.prices.get(sku) ?? null;
      const wanted = expected.get(sku) ?? null;
      const database = ledger.prices.get(sku) ?? null;
      return {
        sku,
        pool: null,
        kind: 'price',
        redis,
        database,
        expected: wanted,
        difference: minus(redis, wanted),
      };
    });
}

function compareWishlists({ cut, ledger, backlog }: Sides): Drift[] {
  const expected = foldWishlists(ledger.wishlists, backlog);
  const drifts: Drift[] = [];
  for (const user of union(cut.wishlists, expected)) {
    const lines = new Map(cut.wishlists.get(user)?.map(({ sku, quantity }) => [sku, quantity]));
    const wanted = expected.get(user) ?? new Map<string, number>();
    for (const sku of union(lines, wanted)) {
      const [redis, quantity] = [lines.get(sku) ?? 0, wanted.get(sku) ?? 0];
      if (redis === quantity) continue;
      const database = ledger.wishlists.get(user)?.get(sku) ?? 0;
      drifts.push({
        sku,
        pool: null,
        kind: 'wishlist',
        redis,
        database,
        expected: quantity,
        difference: redis - quantity,
        user,
      });
    }
  }
  return drifts;
}

function compareHolds({ cut, ledger, backlog }: Sides): Drift[] {
  const expected = new Set(ledger.held);
  for (const { id, status } of [...backlog.orders, ...backlog.statuses]) {
    if (status === 'held') expected.add(id);
    else expected.delete(id);
  }
  const kept = new Set(ledger.held);
  return [...new Set([...cut.held, ...expected])]
    .filter((id) => cut.held.has(id) !== expected.has(id))
    .map((id) => {
      const [redis, wanted, database] = [cut.held, expected, kept].map((side) => Number(side.has(id))) as [
        number,
        number,
        number,
      ];
      const difference = redis - wanted;
      return {
        sku: null,
        pool: null,
        kind: 'hold',
        redis,
        database,
        expected: wanted,
        difference,
        order: id,
      };
    });
}

function foldWishlists(kept: Ledger['wishlists'], { wishlists }: Changes): Map<string, Map<string, number>> {
  const folded = new Map(Array.from(kept, ([user, lines]) => [user, new Map(lines)]));
  for (const user of wishlists.emptied) folded.delete(user);
  for (const { user, sku, quantity } of wishlists.changes) {
    const lines = folded.get(user) ?? new Map<string, number>();
    if (quantity === 0) lines.delete(sku);
    else lines.set(sku, quantity);
    folded.set(user, lines);
  }
  return folded;
}

function union<Key>(a: ReadonlyMap<Key, unknown>, b: ReadonlyMap<Key, unknown>): Set<Key> {
  return new Set([...a.keys(), ...b.keys()]);
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}
