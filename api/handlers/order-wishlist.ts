import type { OrderOutcome } from '../../engine/domain/order.ts';
import type { OrderRequest } from '../../engine/redis/commands/place-orders.ts';
import type { Route } from '../http/route.ts';
import { replyToOrder } from './order-replies.ts';

export interface OrderWishlistOptions {
  readonly placeOrder: (request: OrderRequest) => Promise<OrderOutcome>;
}

/** `POST /api/v1/wishlist/order`: orders all that is on the caller's wishlist, which is empty after a success. */
export function orderWishlistRoute({ placeOrder }: OrderWishlistOptions): Route {
  return {
    method: 'post',
    path: '/api/v1/wishlist/order',
    access: 'customer',
    body: null,
    async handle({ caller }) {
      return replyToOrder(await placeOrder({ user: caller.user, lines: null }));
    },
  };
}
