import fc from 'fast-check';
import { CONTENT_CHARACTERS, SCOPE_CHARACTERS } from '../../engine/domain/idempotency.ts';
import type { AskedAdjustment, AskedProduct } from './model/catalogue.ts';
import type { AskedEvent } from './model/events.ts';
import type { AskedOrder } from './model/orders.ts';
import type { Line } from './model/state.ts';

/**
 * Random commands. A few SKUs, users, keys and small stocks, holds of a few ms and a clock that goes on by as many, so
 * that orders collide, run short, repeat, and are settled around the end of their holds. Where a command is about what
 * is there by then (an order, an entry), it holds any number, and `Book` says which one that is.
 */
export type Command = {
  /** How far the clock goes on before it, ms. */
  readonly waitMs: number;
} & (
  | { readonly script: 'place-orders'; readonly orders: readonly DrawnOrder[]; readonly holdMs: number }
  | { readonly script: 'put-products'; readonly products: readonly AskedProduct[] }
  | { readonly script: 'change-wishlists'; readonly changes: readonly (Line & { user: string })[] }
  | { readonly script: 'adjust-stock'; readonly adjustments: readonly AskedAdjustment[] }
  | { readonly script: 'settle-orders'; readonly settlements: readonly DrawnSettlement[] }
  | { readonly script: 'expire-holds' }
  | (DrawnEvent & { readonly script: 'change-event' })
  | { readonly script: 'sweep-counts' }
  | { readonly script: 'trim-journal'; readonly upTo: number; readonly restarted: boolean }
  | {
      readonly script: 'pin-journal';
      readonly reader: string;
      readonly after: number;
      readonly forMs: number;
    }
  | { readonly script: 'rotate-idempotency'; readonly widthMs: number }
);

/** `expects`: which total its user names: what it costs, what it costs without events, or another; null = none. */
export type DrawnOrder = Omit<AskedOrder, 'expectedTotal'> & {
  readonly expects: 'right' | 'regular' | 'wrong' | null;
};

/**
 * `startsInMs`: from the clock of the call on. `isStale`: decided as of a revision that is past. `isFitting`: what is closed
 * or written down are the items that were opened, as a real caller has it; else the drawn ones.
 */
export type DrawnEvent = Pick<AskedEvent, 'event' | 'action' | 'items' | 'holdMs' | 'token'> & {
  readonly startsInMs: number;
  /** What is adjusted, as many as there are items. */
  readonly units: readonly number[];
  readonly lastsMs: number;
  readonly isStale: boolean;
  readonly isFitting: boolean;
};

/** `read`: as of which entry the caller read the order; `mark`: as of which it saw a mark, null = it saw none. */
export interface DrawnSettlement {
  readonly order: number;
  readonly action: 'confirm' | 'cancel';
  readonly read: number;
  readonly mark: number | null;
  readonly token: AskedOrder['token'];
  readonly reason: string;
}

export const SKUS = ['a', 'B', 'ㄱ {x}:', 'd', 'dear', '__proto__'];
/** What is no quantity. */
export const UNSOUND = [
  0,
  -3,
  1.5,
  Number.NaN,
  '3',
  Number.POSITIVE_INFINITY,
  2 ** 53,
  1_000_001,
  true,
  [],
  -0,
];

const sku = fc.constantFrom(...SKUS);
/** Of what sale events have, and orders ask for most. */
const popularSku = fc.constantFrom(...SKUS.slice(0, 3));
const user = fc.constantFrom('ann', 'ben', 'cho');
const waitMs = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) });
const unsound = fc.constantFrom<unknown>(...UNSOUND);
const quantity = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 1, arbitrary: unsound },
);
const line = fc.record({ sku: fc.oneof(sku, popularSku), quantity });
const lines = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.uniqueArray(line, { minLength: 1, maxLength: 3, selector: (each) => each.sku }),
  },
  { weight: 1, arbitrary: fc.array(line, { minLength: 1, maxLength: 5 }) },
);
const token = fc.record({
  scope: fc.constantFrom('1', '2', '3').map((key) => key.padStart(SCOPE_CHARACTERS, 'k')),
  content: fc.constantFrom('x', 'x', 'x', 'y').map((asked) => asked.padStart(CONTENT_CHARACTERS, 'c')),
});
const order: fc.Arbitrary<DrawnOrder> = fc.record({
  user,
  lines: fc.option(lines, { freq: 7 }),
  token: fc.option(token, { freq: 2 }),
  expects: fc.constantFrom(null, null, null, null, 'right', 'regular', 'wrong'),
});
const product: fc.Arbitrary<AskedProduct> = fc.record({
  sku,
  price: fc.constantFrom(0, 5, 1_000_000_000_000),
  stock: fc.integer({ min: 0, max: 30 }),
  details: fc.constantFrom('{"name":"x"}', '{"name":"y"}'),
});
const change = fc.record({ user, sku, quantity: fc.integer({ min: 0, max: 5 }) });
const delta = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -12, max: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(1_000_000_000_000, -1_000_000_000_000, 999_999_999_990) },
  { weight: 2, arbitrary: unsound },
);
const reason = fc.constantFrom('counted', 'broke', '한글', '🍵'.repeat(255), 'counted', '', '🍵'.repeat(256));
const adjustment = fc.record({ sku, delta, reason, token: fc.option(token, { freq: 2 }) });
const settlement: fc.Arbitrary<DrawnSettlement> = fc.record({
  order: fc.nat(),
  action: fc.constantFrom('confirm', 'cancel'),
  read: fc.nat(),
  mark: fc.option(fc.nat(), { freq: 2 }),
  token: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: token }),
  reason: fc.constantFrom('', 'it broke', '깨졌다 🍵'),
});
const item = fc.record({
  sku: fc.oneof({ weight: 1, arbitrary: sku }, { weight: 3, arbitrary: popularSku }),
  stock: fc.constantFrom(0, 4, 15, 40),
  price: fc.constantFrom(0, 3, 3, 1_000_000_000_000),
  limit: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 6 })),
});
const drawnEvent = {
  event: fc.constantFrom('e', 'e', 'f'),
  items: fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: (each) => each.sku }),
  holdMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
  startsInMs: fc.oneof(fc.constant(0), fc.integer({ min: -10, max: 8 })),
  units: fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 3, maxLength: 3 }),
  lastsMs: fc.constantFrom(1, 10, 30, 1_000, 1_000, 1_000),
  isStale: fc.integer({ min: 1, max: 12 }).map((nth) => nth === 12),
  isFitting: fc.integer({ min: 1, max: 8 }).map((nth) => nth < 8),
  token: fc.option(token, { freq: 2 }),
};
const changing = (...actions: DrawnEvent['action'][]): fc.Arbitrary<Command> =>
  fc.record({
    script: fc.constant('change-event'),
    waitMs,
    action: fc.constantFrom(...actions),
    ...drawnEvent,
  });

const some = <T>(arbitrary: fc.Arbitrary<T>, maxLength = 6) =>
  fc.array(arbitrary, { minLength: 1, maxLength });
const holdMs = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(0, 500) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 }) },
);

/** Entries that are not committed yet: a few, as with a writer that keeps up, or any number. */
const upTo = fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat() });

const placing = fc.record({
  script: fc.constant('place-orders' as const),
  waitMs,
  orders: some(order, 4),
  holdMs,
});
const settling = fc.record({
  script: fc.constant('settle-orders' as const),
  waitMs,
  settlements: some(settlement, 4),
});
const expiring = fc.record({ script: fc.constant('expire-holds' as const), waitMs });

const WEIGHTED: readonly [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [6, placing],
  [1, fc.record({ script: fc.constant('put-products'), waitMs, products: some(product) })],
  [2, fc.record({ script: fc.constant('change-wishlists'), waitMs, changes: some(change) })],
  [2, fc.record({ script: fc.constant('adjust-stock'), waitMs, adjustments: some(adjustment) })],
  [10, settling],
  [2, expiring],
  [6, changing('open', 'open', 'close', 'close', 'record', 'adjust')],
  [1, fc.record({ script: fc.constant('sweep-counts'), waitMs })],
  [4, fc.record({ script: fc.constant('trim-journal'), waitMs, upTo, restarted: fc.boolean() })],
  [
    1,
    fc.record({
      script: fc.constant('pin-journal'),
      waitMs,
      reader: fc.constantFrom('r', 's'),
      after: fc.nat(),
      forMs: fc.nat(12),
    }),
  ],
  [2, fc.record({ script: fc.constant('rotate-idempotency'), waitMs, widthMs: fc.nat(6) })],
];

const command = fc.oneof(...WEIGHTED.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** Days go by and nobody shops: the ring goes round, or nearly. */
const days = fc
  .integer({ min: 3, max: 7 })
  .map((turns) =>
    Array.from({ length: turns }, (): Command => ({ script: 'rotate-idempotency', waitMs: 1, widthMs: 1 })),
  );
const chapter = fc.oneof(
  { weight: 30, arbitrary: command.map((only) => [only]) },
  { weight: 1, arbitrary: days },
);

/** Most shops open with goods on the shelves, or few orders would find all they ask for. */
const opening = fc.subarray(SKUS, { minLength: 5 }).map((stocked): Command => {
  const goods = { price: 5, stock: 30, details: '{"name":"x"}' };
  return { script: 'put-products', waitMs: 0, products: stocked.map((name) => ({ sku: name, ...goods })) };
});

/**
 * Sells from an event, and ends the order when its event is still open, closed, or opened again. Such a line of commands is
 * rare by chance alone.
 */
const selling = fc
  .record({
    sale: fc.record({ ...drawnEvent, token: fc.constant(null), isStale: fc.constant(false) }),
    order: fc.record({
      user,
      beside: fc.constantFrom('d', 'dear'),
      quantities: some(fc.integer({ min: 1, max: 4 }), 3),
      holdMs,
    }),
    item: fc.record({ sku: popularSku, stock: fc.constant(15), price: fc.constant(3), limit: fc.nat(6) }),
    /** Some other caller's clock is behind: to it the sale has not begun. */
    isBehind: fc.boolean(),
    next: fc.constantFrom<DrawnEvent['action'][][]>([], ['close'], ['close', 'open'], ['adjust']),
    end: fc.oneof(
      settling,
      expiring.map((each) => ({ ...each, waitMs: 20 })),
    ),
  })
  .map(({ sale: drawn, order, item, isBehind, next, end }): Command[] => {
    const sale = { ...drawn, items: [item], startsInMs: 0, script: 'change-event' as const, waitMs: 0 };
    const plain = { user: order.user, token: null, expects: null };
    const beside = { sku: order.beside, quantity: 1 };
    const orders = order.quantities.map((quantity, at): DrawnOrder => {
      const line = { sku: item.sku, quantity };
      return { ...plain, lines: at === 0 ? [line, beside] : [line] };
    });
    orders.unshift({ ...plain, lines: [beside] });
    const placed = { script: 'place-orders' as const, holdMs: order.holdMs };
    return [
      { ...sale, action: 'open' },
      ...(isBehind ? [{ ...placed, waitMs: -1, orders: orders.slice(1, 2) }] : []),
      { ...placed, waitMs: isBehind ? 1 : 0, orders },
      ...next.map((action): Command => ({ ...sale, action, isFitting: true })),
      end,
    ];
  });

const scenes = fc.array(fc.oneof({ weight: 9, arbitrary: chapter }, { weight: 1, arbitrary: selling }), {
  minLength: 1,
  maxLength: 40,
  size: 'max',
});

/** A shop's history, from its beginning; most begin with a sale on. */
export const history: fc.Arbitrary<Command[]> = fc
  .tuple(fc.option(opening, { freq: 20 }), fc.option(changing('open'), { freq: 4 }), scenes)
  .map(([goods, sale, rest]) => [goods, sale, ...rest.flat()].filter((each) => each !== null));
