import type { Ledger } from '../../engine/database/statements/read-ledger.ts';
import { levelField, type PoolOfSku, parseLevelField, REGULAR_POOL } from '../../engine/domain/pool.ts';
import type { Changes } from '../fold.ts';
import { compareEvents } from './compare-events.ts';
import type { Drift, Sides } from './drift.ts';

/** Finds every drift. Pure: it sees nothing but the three sides, so a backlog of any size raises no alarm. */
export function compareSides(sides: Sides): Drift[] {
  return [
    ...compareLevels(sides),
    ...compareLedger(sides),
    ...comparePrices(sides),
    ...compareWishlists(sides),
    ...compareHolds(sides),
    ...compareEvents(sides),
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
  const kept = new Map(ledger.levels.map((level) => [levelField(level), level.available]));
  const expected = new Map([...kept].filter(([, available]) => available !== null) as [string, number][]);
  for (const level of backlog.newLevels) expected.set(levelField(level), level.available);
  for (const level of backlog.levels) {
    const field = levelField(level);
    expected.set(field, (expected.get(field) ?? 0) + level.delta);
  }
  return [...union(cut.levels, expected)].flatMap((field) => {
    const level = parseLevelField(field);
    const redis = cut.levels.get(field) ?? nothing(level);
    const wanted = expected.get(field) ?? nothing(level);
    const sides = { ...level, redis, database: kept.get(field) ?? null };
    const drifts: Drift[] = [];
    if (redis !== wanted)
      drifts.push({ ...sides, kind: 'level', expected: wanted, difference: minus(redis, wanted) });
    if (redis !== null && redis < 0)
      drifts.push({ ...sides, kind: 'negative', expected: 0, difference: redis });
    return drifts;
  });
}

/** What a level that is not there says: an event's pool goes when it is closed, a product's never. */
function nothing({ pool }: PoolOfSku): number | null {
  return pool === REGULAR_POOL ? null : 0;
}

function compareLedger({ cut, ledger }: Sides): Drift[] {
  return ledger.levels
    .filter(({ available, moved, ordered }) => available !== moved - ordered)
    .map(({ sku, pool, available, moved, ordered }) => ({
      sku,
      pool,
      kind: 'ledger',
      redis: cut.levels.get(levelField({ sku, pool })) ?? null,
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
