import { InternalFault, type NotAccepting } from '../../engine/domain/fault.ts';
import type { KeptOrder, Order, OrderOutcome } from '../../engine/domain/order.ts';
import type { SubmitOptions } from '../../engine/redis/batcher.ts';
import type { OrderRequest } from '../../engine/redis/commands/place-orders.ts';
import { idempotencyMismatch, invalidRequest, Problem } from '../http/problem.ts';
import { REPLAYED, type Reply } from '../http/reply.ts';
import type { Request } from '../http/route.ts';

/** What the order routes need of the engine. */
export interface OrderServices {
  readonly placeOrder: (request: OrderRequest, options: SubmitOptions) => Promise<OrderOutcome>;
  /** Why every order is refused now, or null. */
  readonly orderRefusal: () => NotAccepting | null;
  readonly findOrder: (id: string) => Promise<KeptOrder | null>;
}

/**
 * Places what `request`'s caller orders, or, where its idempotency key was used for the same before, gives the first
 * success again. `lines` null: what is on the wishlist. Nothing is taken for a caller who goes away before the
 * order's turn comes.
 */
export async function orderAndReply(
  services: OrderServices,
  { caller, idempotencyToken: token, isGone }: Request,
  wish: Pick<OrderRequest, 'lines' | 'expectedTotal'>,
): Promise<Reply> {
  const outcome = await services.placeOrder({ ...wish, user: caller.user, token }, { isGone });
  if (outcome.kind !== 'replayed') return replyToOrder(outcome);
  const found = await services.findOrder(outcome.orderId);
  if (!found) throw new InternalFault(`order ${outcome.orderId} of an idempotency key is nowhere`);
  return created(found.order, REPLAYED);
}

/** The reply to an order: 201 with the order, or the contract's problem for each kind of refusal. */
function replyToOrder(outcome: Exclude<OrderOutcome, { kind: 'replayed' }>): Reply {
  switch (outcome.kind) {
    case 'accepted':
      return created(outcome.order);
    case 'idempotency_mismatch':
      throw idempotencyMismatch();
    case 'empty_wishlist':
      throw new Problem('empty_wishlist', 'put products on the wishlist first');
    case 'unknown_product':
      throw unknownProducts(outcome.skus);
    case 'total_too_large':
      throw invalidRequest([
        { path: '/items', message: 'the total passes the largest amount that can be ordered' },
      ]);
    case 'price_changed':
      throw new Problem('price_changed', 'the total is not what was expected; nothing was taken', {
        members: { total: outcome.total },
      });
    case 'limit_exceeded':
      throw new Problem('limit_exceeded', 'more than the sale lets one customer have; nothing was taken', {
        members: { items: outcome.excesses },
      });
    case 'out_of_stock':
      throw new Problem(
        'out_of_stock',
        `${outcome.shortages.length} of the products ${outcome.shortages.length === 1 ? 'is' : 'are'} short; nothing was taken`,
        {
          members: { items: outcome.shortages },
        },
      );
  }
}

function created(order: Order, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 201, body: order, headers: { Location: `/api/v1/orders/${order.id}`, ...headers } };
}

/** A 422 that names every unknown product. */
export function unknownProducts(
  skus: readonly string[],
  detail = 'some products do not exist; nothing was taken',
): Problem {
  return new Problem('unknown_product', detail, { members: { items: skus.map((sku) => ({ sku })) } });
}
