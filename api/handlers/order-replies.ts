import type { OrderOutcome } from '../../engine/domain/order.ts';
import { invalidRequest, Problem } from '../http/problem.ts';
import type { Reply } from '../http/reply.ts';

/** The reply to an order: 201 with the order, or the contract's problem for each kind of refusal. */
export function replyToOrder(outcome: OrderOutcome): Reply {
  switch (outcome.kind) {
    case 'accepted':
      return {
        status: 201,
        body: outcome.order,
        headers: { Location: `/api/v1/orders/${outcome.order.id}` },
      };
    case 'empty_wishlist':
      throw new Problem('empty_wishlist', 'put products on the wishlist first');
    case 'unknown_product':
      throw unknownProducts(outcome.skus);
    case 'total_too_large':
      throw invalidRequest([
        { path: '/items', message: 'the total passes the largest amount that can be ordered' },
      ]);
    case 'out_of_stock':
      throw new Problem(
        'out_of_stock',
        `${outcome.shortages.length} of the products are short; nothing was taken`,
        {
          members: { items: outcome.shortages },
        },
      );
  }
}

/** A 422 that names every unknown product. */
export function unknownProducts(skus: readonly string[]): Problem {
  const members = { items: skus.map((sku) => ({ sku })) };
  return new Problem('unknown_product', 'some products do not exist; nothing was taken', { members });
}
