import type { Route } from '../http/route.ts';
import { type OrderServices, orderAndReply } from './order-replies.ts';

/** `POST /api/v1/wishlist/order`: orders all that is on the caller's wishlist, which is empty after a success. */
export function orderWishlistRoute(services: OrderServices): Route {
  return {
    method: 'post',
    path: '/api/v1/wishlist/order',
    access: 'customer',
    body: null,
    async handle(request) {
      return await orderAndReply(services, request, null);
    },
  };
}
