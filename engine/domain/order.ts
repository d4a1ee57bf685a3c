/** What the shopper wants: lines of distinct SKUs, quantities in units. */
export interface RequestedLine {
  readonly sku: string;
  readonly quantity: number;
}

/** `held`: unpaid, will expire. The other three are final but for `placed`, which may be cancelled. */
export type OrderStatus = 'held' | 'placed' | 'cancelled' | 'expired';

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

/** An order with whom it belongs to, which outsiders are not told. */
export interface OwnedOrder {
  readonly userId: string;
  readonly order: Order;
}

/** A line that asks for more than there is; all in units. */
export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}

/**
 * What became of a request to order, in order of precedence after `accepted`. A closed list: whoever switches over
 * it handles all of it. `replayed`: its idempotency key led to this order before, and nothing was done now.
 */
export type OrderOutcome =
  | { readonly kind: 'accepted'; readonly order: Order }
  | { readonly kind: 'replayed'; readonly orderId: string }
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'empty_wishlist' }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] }
  | { readonly kind: 'total_too_large' }
  | { readonly kind: 'out_of_stock'; readonly shortages: readonly Shortage[] };

/** The sum of the lines in minor units. The scripts refuse orders whose total passes 2^53 - 1. */
export function totalOf(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
}

/**
 * Adds lines of the same SKU together, in the order in which each SKU was first named (the contract's rule: the
 * legacy service kept only the last).
 */
export function mergeLines(lines: readonly RequestedLine[]): RequestedLine[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return Array.from(quantities, ([sku, quantity]) => ({ sku, quantity }));
}

/** The order as its first reply told it, whatever became of it since. */
export function asPlaced(order: Order): Order {
  return { ...order, status: order.expiresAt === null ? 'placed' : 'held' };
}
