import { type Static, Type } from '@sinclair/typebox';
import type { Route } from '../http/route.ts';
import { ExpectedTotal } from './expected-total.ts';
import { type OrderServices, orderAndReply } from './order-replies.ts';

const Body = Type.Object({ expectedTotal: ExpectedTotal }, { additionalProperties: false });

/** `POST /api/v1/wishlist/order`: orders all that is on the caller's wishlist, which is empty after a success. */
export function orderWishlistRoute(services: OrderServices): Route {
  return {
    method: 'post',
    path: '/api/v1/wishlist/order',
    access: 'customer',
    body: Body,
    isBodyOptional: true,
    refusal: services.orderRefusal,
    async handle(request) {
      const { expectedTotal } = request.body as Static<typeof Body>;
      return await orderAndReply(services, request, { lines: null, expectedTotal });
    },
  };
}
