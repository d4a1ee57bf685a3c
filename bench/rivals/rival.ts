import type { Order, OrderLine, OrderOutcome, RequestedLine } from '../../engine/domain/order.ts';
import { totalOf } from '../../engine/domain/order.ts';
import type { OrderRequest } from '../../engine/redis/commands/place-orders.ts';

/** A way to place orders, ready to be put behind the api's own HTTP layer. */
export interface Rival {
  placeOrder(request: OrderRequest): Promise<OrderOutcome>;
  stop(): Promise<void>;
}

/** The addresses and bounds that a rival runs with. */
export interface RivalConfig {
  readonly REDIS_URL: string;
  readonly DATABASE_URL: string;
  readonly DATABASE_CONNECTIONS: number;
}

/** The outcome of an order that was taken at `at` (ms since 1970) with these unit prices, by line. */
export function accepted(
  id: string,
  at: number,
  lines: readonly RequestedLine[],
  prices: readonly number[],
): { kind: 'accepted'; order: Order } {
  const items = lines.map(
    ({ sku, quantity }, line): OrderLine => ({ sku, quantity, unitPrice: prices[line]!, eventId: null }),
  );
  const placedAt = new Date(at).toISOString();
  return {
    kind: 'accepted',
    order: { id, status: 'placed', items, total: totalOf(items), placedAt, expiresAt: null },
  };
}
