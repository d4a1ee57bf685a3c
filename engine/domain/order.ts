import type { Position } from './position.ts';

/** What the shopper wants: lines of distinct SKUs, quantities in units. */
export interface RequestedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** `held`: unpaid, will expire. The other three are final but for `placed`, which may be cancelled. */
export type OrderStatus = 'held' | 'placed' | 'cancelled' | 'expired';

/** How far each status is along an order's life; the two at the end exclude each other. */
const STAGES: Readonly<Record<OrderStatus, number>> = { held: 0, placed: 1, cancelled: 2, expired: 2 };

/** Whether an order that is `status` has come further than one that is `other`: nothing ever goes back. */
export function isAhead(status: OrderStatus, other: OrderStatus): boolean {
  return STAGES[status] > STAGES[other];
}

/** `unitPrice` in minor units of the currency; `eventId` of the sale event that carried the line, or null. */
export interface OrderLine extends RequestedLine {
  readonly unitPrice: number;
  readonly eventId: string | null;
}

/** An order as outsiders see it. `total` in minor units, times RFC 3339. */
export interface Order {
  readonly id: string;
  readonly status: OrderStatus;
  readonly items: readonly OrderLine[];
  readonly total: number;
  readonly placedAt: string;
  readonly expiresAt: string | null;
}

/** An order as it is kept. */
export interface KeptOrder {
  readonly userId: string;
  /** As its first reply told it, whatever became of it since. */
  readonly order: Order;
  /** What it is now. */
  readonly status: OrderStatus;
  /** The journal entry as of which this was read: a settlement up to it is in `status`. */
  readonly asOf: Position;
}

/** The order as it is now: only one that is still held will expire. */
export function presentOrder({ order, status }: Pick<KeptOrder, 'order' | 'status'>): Order {
  return { ...order, status, expiresAt: status === 'held' ? order.expiresAt : null };
}

/** A line that asks for more than there is; all in units. */
export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}

/** A line that asks for more than a sale event lets one customer have; `already` in live orders. All in units. */
export interface LimitExcess {
  readonly sku: string;
  readonly limit: number;
  readonly already: number;
  readonly requested: number;
}

/**
 * What became of a request to order, in order of precedence after `accepted`. A closed list: whoever switches over
 * it handles all of it. `replayed`: its idempotency key led to this order before, and nothing was done now.
 * `price_changed`: `total` is what it would cost now, and not what its user expects.
 */
export type OrderOutcome =
  | { readonly kind: 'accepted'; readonly order: Order }
  | { readonly kind: 'replayed'; readonly orderId: string }
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'empty_wishlist' }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] }
  | { readonly kind: 'total_too_large' }
  | { readonly kind: 'price_changed'; readonly total: number }
  | { readonly kind: 'limit_exceeded'; readonly excesses: readonly LimitExcess[] }
  | { readonly kind: 'out_of_stock'; readonly shortages: readonly Shortage[] };

/** The sum of the lines in minor units. The scripts refuse orders whose total passes 2^53 - 1. */
export function totalOf(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
}

/**
 * Adds lines of the same SKU together, in the order in which each SKU was first named (the contract's rule: the
 * legacy service kept only the last).
 */
export function mergeLines(lines: readonly RequestedLine[]): readonly RequestedLine[] {
  if (!hasTwice(lines)) return lines;
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return Array.from(quantities, ([sku, quantity]) => ({ sku, quantity }));
}

function hasTwice(lines: readonly RequestedLine[]): boolean {
  const skus = new Set<string>();
  for (const { sku } of lines) skus.add(sku);
  return skus.size < lines.length;
}

/** An order as it is right after its decision at `at` (ms since 1970): held for `holdMs`, or placed if that is 0. */
export function newOrder({ id, lines, at, holdMs }: NewOrder): Order {
  return {
    id,
    status: holdMs > 0 ? 'held' : 'placed',
    items: lines,
    total: totalOf(lines),
    placedAt: formatTime(at),
    expiresAt: holdMs > 0 ? formatTime(at + holdMs) : null,
  };
}

/** How long the order at `index` of its call is held, in ms: `holds` is one number for all of them, or one for each. */
export function holdOf(holds: number | readonly number[], index: number): number {
  return typeof holds === 'number' ? holds : holds[index]!;
}

interface NewOrder {
  readonly id: string;
  readonly lines: readonly OrderLine[];
  readonly at: number;
  readonly holdMs: number;
}

let formatted = { at: Number.NaN, text: '' };

/** RFC 3339. All orders of a call have one time, and writing it down is a third of making an order. */
function formatTime(at: number): string {
  if (formatted.at !== at) formatted = { at, text: new Date(at).toISOString() };
  return formatted.text;
}
