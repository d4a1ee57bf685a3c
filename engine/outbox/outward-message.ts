import type { OrderLine } from '../domain/order.ts';
import type { PoolOfSku } from '../domain/pool.ts';

/** What the world is told of; each type is the routing key of its messages. */
export const OUTWARD_TYPES = [
  'order.held',
  'order.placed',
  'order.cancelled',
  'order.expired',
  'stock.low',
  'stock.out',
] as const;

export type OutwardType = (typeof OUTWARD_TYPES)[number];

/** An order that was placed, or is held unpaid until `expiresAt`. Times are RFC 3339, money in minor units. */
export interface ToldOrder {
  readonly id: string;
  readonly userId: string;
  readonly items: readonly OrderLine[];
  readonly total: number;
  readonly placedAt: string;
  readonly expiresAt: string | null;
}

/** Units of a cancelled or expired order: `eventId` says what they were sold from, `pool` where they are now. */
export interface ReturnedLine extends PoolOfSku {
  readonly quantity: number;
  readonly eventId: string | null;
}

/** An order that was cancelled or has expired, and the units that went back; `reason` where somebody gave one. */
export interface EndedOrder {
  readonly id: string;
  readonly userId: string;
  readonly items: readonly ReturnedLine[];
  readonly reason: string | null;
}

/** `available` units are left of the SKU in the pool; `threshold` is what counts as low (0: nothing does). */
export interface StockFigures extends PoolOfSku {
  readonly available: number;
  readonly threshold: number;
}

/**
 * A message to the world. `id` is made of the place in the journal of what it tells: whoever is told again is told under the
 * same id. `at` is the engine's clock when it was decided, RFC 3339.
 */
export type OutwardMessage = { readonly id: string; readonly at: string } & (
  | { readonly type: 'order.held' | 'order.placed'; readonly order: ToldOrder }
  | { readonly type: 'order.cancelled' | 'order.expired'; readonly order: EndedOrder }
  | ({ readonly type: 'stock.low' | 'stock.out' } & StockFigures)
);
