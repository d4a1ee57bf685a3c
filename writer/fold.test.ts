import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RequestedLine, totalOf } from '../engine/domain/order.ts';
import { formatOrderId } from '../engine/domain/order-id.ts';
import type { WishlistChange } from '../engine/domain/wishlist.ts';
import type { Entry, JournalAdjustment } from '../engine/journal/entry.ts';
import type { JournalOrder } from '../engine/journal/order-entry.ts';
import { type Changes, foldEntries } from './fold.ts';

const SKUS = ['tea', 'cup', 'pot'] as const;
const USERS = ['mina', 'jun'] as const;
const AT = Date.UTC(2026, 0, 1);
const DETAILS = { name: 'a', producer: null, type: null, function: null, description: null };

/** What an entry is about, before it has its place in the journal. */
type Deed =
  | { kind: 'orders'; orders: DeedOrder[] }
  | { kind: 'products'; products: { sku: string; price: number; stock: number | null }[] }
  | { kind: 'wishlists'; changes: WishlistChange[] }
  | { kind: 'adjustments'; adjustments: JournalAdjustment[] };

interface DeedOrder {
  user: string;
  lines: RequestedLine[];
  fromWishlist: boolean;
}

/** Gives deeds their places in the journal, one after another. */
function journal(deeds: readonly Deed[]): Entry[] {
  return deeds.map((deed, sequence): Entry => {
    const head = { position: { epoch: 1, sequence }, at: AT + sequence };
    if (deed.kind === 'orders') return { ...head, ...deed, orders: deed.orders.map(journalOrder(head)) };
    if (deed.kind === 'wishlists' || deed.kind === 'adjustments') return { ...head, ...deed };
    return { ...head, ...deed, products: deed.products.map((product) => ({ ...product, details: DETAILS })) };
  });
}

function journalOrder({ position, at }: Pick<Entry, 'position' | 'at'>) {
  return ({ user, lines, fromWishlist }: DeedOrder, index: number): JournalOrder => {
    const items = lines.map((line) => ({ ...line, unitPrice: 7, eventId: null }));
    const id = formatOrderId({ ...position, index });
    const placedAt = new Date(at).toISOString();
    const order = {
      id,
      status: 'placed' as const,
      items,
      total: totalOf(items),
      placedAt,
      expiresAt: null,
    };
    return { userId: user, order, fromWishlist, token: null };
  };
}

/** MariaDB as plain maps: it takes changes as writer/apply.ts has them written. */
class Model {
  readonly products = new Map<string, number>();
  readonly levels = new Map<string, number>();
  readonly rows: Record<'movements' | 'orders' | 'items', unknown[]> = {
    movements: [],
    orders: [],
    items: [],
  };
  readonly wishlists = new Map<string, number>();

  apply({ products, newLevels, movements, orders, items, levels, wishlists }: Changes): this {
    for (const { sku, price } of products) this.products.set(sku, price);
    for (const { sku, available } of newLevels) this.levels.set(sku, available);
    this.rows.movements.push(...movements);
    this.rows.orders.push(...orders);
    this.rows.items.push(...items);
    for (const { sku, delta } of levels) this.levels.set(sku, (this.levels.get(sku) ?? 0) + delta);
    for (const user of wishlists.emptied) {
      const lines = [...this.wishlists.keys()].filter((key) => key.startsWith(`${user}/`));
      for (const key of lines) this.wishlists.delete(key);
    }
    for (const { user, sku, quantity } of wishlists.changes) {
      if (quantity > 0) this.wishlists.set(`${user}/${sku}`, quantity);
      else this.wishlists.delete(`${user}/${sku}`);
    }
    return this;
  }
}

const quantity = fc.integer({ min: 1, max: 9 });
const user = fc.constantFrom(...USERS);
const sku = fc.constantFrom(...SKUS);
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 4 });
const order = fc.record({ user, lines: some(fc.record({ sku, quantity })), fromWishlist: fc.boolean() });
const change = fc.record({ user, sku, quantity: fc.integer({ min: 0, max: 3 }) });
const adjustment: fc.Arbitrary<JournalAdjustment> = fc.record({
  sku,
  delta: fc.integer({ min: -9, max: 9 }).filter((units) => units !== 0),
  reason: fc.constant('counted'),
  available: fc.nat(),
  token: fc.option(fc.constantFrom('k'.repeat(33), 'l'.repeat(33)), { freq: 2 }),
});
const changedProduct = fc.record({ sku, price: quantity, stock: fc.constant(null) });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ kind: fc.constant('orders' as const), orders: some(order) }),
  fc.record({ kind: fc.constant('wishlists' as const), changes: some(change) }),
  fc.record({ kind: fc.constant('products' as const), products: some(changedProduct) }),
  fc.record({ kind: fc.constant('adjustments' as const), adjustments: some(adjustment) }),
);

/** Every product is created once, anywhere before or between the rest. */
const deeds = fc
  .tuple(fc.array(deed, { maxLength: 20 }), fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }))
  .map(([rest, places]) => {
    const all: Deed[] = [...rest];
    SKUS.forEach((name, at) => {
      const created: Deed = { kind: 'products', products: [{ sku: name, price: 1, stock: 1_000 }] };
      all.splice(Math.min(places[at]!, all.length), 0, created);
    });
    return withoutUncreated(all);
  });

/** The journal has no product changed or sold that was not created before. */
function withoutUncreated(all: readonly Deed[]): Deed[] {
  const created = new Set<string>();
  return all.map((one): Deed => {
    if (one.kind === 'wishlists') return one;
    if (one.kind === 'adjustments') {
      return { ...one, adjustments: one.adjustments.filter((each) => created.has(each.sku)) };
    }
    if (one.kind === 'orders') {
      const kept = one.orders.map((each) => ({
        ...each,
        lines: each.lines.filter((line) => created.has(line.sku)),
      }));
      return { ...one, orders: kept.filter(({ lines }) => lines.length > 0) };
    }
    for (const { sku: name, stock } of one.products) if (stock !== null) created.add(name);
    return { ...one, products: one.products.filter((product) => created.has(product.sku)) };
  });
}

describe('P5: MariaDB is a fold of the journal', () => {
  test('folding two ranges one after the other is folding them together', () => {
    fc.assert(
      fc.property(deeds, fc.nat(23), (all, cut) => {
        const entries = journal(all);
        const together = new Model().apply(foldEntries(entries));
        const apart = new Model()
          .apply(foldEntries(entries.slice(0, cut)))
          .apply(foldEntries(entries.slice(cut)));
        expect(apart).toEqual(together);
      }),
    );
  });

  test('folding entry by entry is folding them together', () => {
    fc.assert(
      fc.property(deeds, (all) => {
        const entries = journal(all);
        const oneByOne = new Model();
        for (const entry of entries) oneByOne.apply(foldEntries([entry]));
        expect(oneByOne).toEqual(new Model().apply(foldEntries(entries)));
      }),
    );
  });

  test('P1: units loaded and adjusted are units available and units ordered; each row is touched once', () => {
    fc.assert(
      fc.property(deeds, (all) => {
        const changes = foldEntries(journal(all));
        const { levels } = new Model().apply(changes);
        for (const name of SKUS) {
          const ordered = changes.items
            .filter((item) => item.sku === name)
            .reduce((sum, item) => sum + item.quantity, 0);
          const moved = changes.movements
            .filter((movement) => movement.sku === name)
            .reduce((sum, movement) => sum + movement.delta, 0);
          expect(levels.get(name)).toBe(moved - ordered);
        }
        const keys = [
          changes.products.map((row) => row.sku),
          changes.levels.map((row) => row.sku),
          changes.orders.map((row) => row.id),
          changes.wishlists.emptied,
          changes.idempotencyKeys.map((row) => row.scope),
          changes.movements.map((row) => `${row.entry}/${row.line}`),
          changes.wishlists.changes.map((row) => `${row.user}/${row.sku}`),
        ];
        for (const list of keys) expect(new Set(list).size).toBe(list.length);
        expect(changes.levels.map((row) => row.sku)).toEqual(
          [...changes.levels.map((row) => row.sku)].sort(),
        );
      }),
    );
  });
});

const orders = (name: string, lines: { sku: string; quantity: number }[], fromWishlist = false): Deed => ({
  kind: 'orders',
  orders: [{ user: name, lines, fromWishlist }],
});
const wish = (name: string, of: string, units: number): Deed => ({
  kind: 'wishlists',
  changes: [{ user: name, sku: of, quantity: units }],
});

describe('one range', () => {
  test('of nothing changes nothing', () => {
    const wishlists = { emptied: [], changes: [] };
    expect(foldEntries([])).toEqual({
      products: [],
      newLevels: [],
      movements: [],
      orders: [],
      items: [],
      statuses: [],
      idempotencyKeys: [],
      levels: [],
      wishlists,
      events: [],
      occurrences: [],
      pools: [],
      compensations: [],
      counts: { begun: new Set(), deltas: new Map() },
    });
  });

  test('in which a product is created, changed and sold', () => {
    const changes = foldEntries(
      journal([
        {
          kind: 'products',
          products: [
            { sku: 'tea', price: 5, stock: 10 },
            { sku: 'cup', price: 1, stock: 0 },
          ],
        },
        orders('mina', [{ sku: 'tea', quantity: 4 }]),
        { kind: 'products', products: [{ sku: 'tea', price: 6, stock: null }] },
        orders('jun', [{ sku: 'tea', quantity: 3 }]),
      ]),
    );
    expect(changes.products).toMatchObject([
      { sku: 'tea', price: 6 },
      { sku: 'cup', price: 1 },
    ]);
    expect(changes.newLevels).toMatchObject([
      { sku: 'tea', pool: 'regular', available: 10 },
      { sku: 'cup', available: 0 },
    ]);
    expect(changes.levels).toEqual([{ sku: 'tea', pool: 'regular', delta: -7 }]);
    expect(changes.movements).toMatchObject([
      { entry: '1-0', line: 0, sku: 'tea', delta: 10, kind: 'load', movedAt: new Date(AT) },
      { entry: '1-0', line: 1, sku: 'cup', delta: 0 },
    ]);
  });

  test('in which stock is adjusted: a movement each, one change of the level, what keys led to', () => {
    const token = 'k'.repeat(22) + 'c'.repeat(11);
    const changes = foldEntries(
      journal([
        {
          kind: 'adjustments',
          adjustments: [
            { sku: 'tea', delta: -3, reason: '깨짐', available: 7, token },
            { sku: 'tea', delta: 5, reason: 'counted', available: 12, token: null },
          ],
        },
        orders('mina', [{ sku: 'tea', quantity: 1 }]),
      ]),
    );
    const common = { entry: '1-0', sku: 'tea', pool: 'regular', kind: 'adjustment', movedAt: new Date(AT) };
    expect(changes.movements).toEqual([
      { ...common, line: 0, delta: -3, reason: '깨짐' },
      { ...common, line: 1, delta: 5, reason: 'counted' },
    ]);
    expect(changes.levels).toEqual([{ sku: 'tea', pool: 'regular', delta: 1 }]);
    expect(changes.idempotencyKeys).toEqual([
      { scope: 'k'.repeat(22), content: 'c'.repeat(11), outcome: '=7', usedAt: new Date(AT) },
    ]);
  });

  test('in which an order is settled under a key: its status, and what the key led to', () => {
    const token = 'k'.repeat(22) + 'c'.repeat(11);
    const [placed] = journal([orders('mina', [{ sku: 'tea', quantity: 2 }])]);
    const id = formatOrderId({ ...placed!.position, index: 0 });
    const reason = 'it broke';
    const lines = [{ sku: 'tea', quantity: 2 }];
    const units = lines.map((line) => ({ ...line, pool: 'regular' }));
    const settled = { kind: 'settlements', at: AT + 1, position: { epoch: 1, sequence: 1 } } as const;
    const changes = foldEntries([
      placed!,
      {
        ...settled,
        settlements: [{ orderId: id, status: 'cancelled', units, strays: [], countedFor: null, reason }],
        keyed: [{ token, status: 'cancelled' }],
      },
      { ...settled, settlements: [], keyed: [{ token: 'l'.repeat(33), status: 'placed' }] },
    ]);
    expect(changes.statuses).toEqual([{ id, status: 'cancelled', reason }]);
    expect(changes.levels).toEqual([{ sku: 'tea', pool: 'regular', delta: 0 }]);
    const usedAt = new Date(AT + 1);
    expect(changes.idempotencyKeys).toEqual([
      { scope: 'k'.repeat(22), content: 'c'.repeat(11), outcome: 'cancelled', usedAt },
      { scope: 'l'.repeat(22), content: 'l'.repeat(11), outcome: 'placed', usedAt },
    ]);
  });

  test('in which a wishlist is filled, ordered and filled again', () => {
    const { wishlists } = foldEntries(
      journal([
        wish('mina', 'tea', 1),
        wish('mina', 'cup', 2),
        orders(
          'mina',
          [
            { sku: 'tea', quantity: 1 },
            { sku: 'cup', quantity: 2 },
          ],
          true,
        ),
        wish('mina', 'pot', 3),
        wish('mina', 'cup', 4),
        wish('mina', 'pot', 0),
        wish('jun', 'tea', 0),
      ]),
    );
    expect(wishlists).toEqual({
      emptied: ['mina'],
      changes: [
        { user: 'mina', sku: 'cup', quantity: 4 },
        { user: 'jun', sku: 'tea', quantity: 0 },
      ],
    });
  });

  test('in which a wishlist’s owner orders something else leaves the wishlist', () => {
    const { wishlists } = foldEntries(
      journal([wish('mina', 'tea', 1), orders('mina', [{ sku: 'cup', quantity: 1 }])]),
    );
    expect(wishlists).toEqual({ emptied: [], changes: [{ user: 'mina', sku: 'tea', quantity: 1 }] });
  });
});
