import type { Shortage } from './order.ts';

/** A signed correction of a product's level: `delta` in units, not 0; `reason` for people. */
export interface Adjustment {
  readonly sku: string;
  readonly delta: number;
  readonly reason: string;
}

/**
 * What became of an adjustment, a closed list. `available` in units, right after it. `replayed`: its idempotency key
 * led to this before, `available` is as it was then, and nothing was done now. `stock_too_large`: the level would
 * pass `MAX_STOCK_UNITS`.
 */
export type AdjustmentOutcome =
  | { readonly kind: 'adjusted'; readonly available: number }
  | { readonly kind: 'replayed'; readonly available: number }
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'unknown_product' }
  | { readonly kind: 'out_of_stock'; readonly shortage: Shortage }
  | { readonly kind: 'stock_too_large'; readonly available: number };

/** What an idempotency key of an adjustment is kept to have led to: `=` and what was available after it. */
export function formatAdjustmentOutcome(available: number): string {
  return `=${available}`;
}
