import { type Static, Type } from '@sinclair/typebox';
import { MAX_LINES_OF_WISHLIST, MAX_QUANTITY_UNITS } from '../../engine/domain/bounds.ts';
import type { RequestedLine } from '../../engine/domain/order.ts';
import type { WishlistChange, WishlistOutcome } from '../../engine/domain/wishlist.ts';
import type { SubmitOptions } from '../../engine/redis/batcher.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { unknownProducts } from './order-replies.ts';

const Body = Type.Object(
  { quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY_UNITS }) },
  { additionalProperties: false },
);

export interface WishlistOptions {
  readonly changeWishlist: (change: WishlistChange, options: SubmitOptions) => Promise<WishlistOutcome>;
  readonly readWishlist: (user: string) => Promise<RequestedLine[]>;
}

/** `GET /api/v1/wishlist`: what is on it, in the order in which it was put there. */
export function showWishlistRoute({ readWishlist }: WishlistOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/wishlist',
    access: 'customer',
    body: null,
    async handle({ caller }) {
      return { status: 200, body: { items: await readWishlist(caller.user) } };
    },
  };
}

/** `PUT /api/v1/wishlist/:sku`: puts a product on it, or changes how many of it. */
export function putWishlistLineRoute({ changeWishlist }: WishlistOptions): Route {
  return {
    method: 'put',
    path: '/api/v1/wishlist/:sku',
    access: 'customer',
    body: Body,
    async handle({ parameters: [sku = ''], body, caller, isGone }) {
      const { quantity } = body as Static<typeof Body>;
      const outcome = await changeWishlist({ user: caller.user, sku, quantity }, { isGone });
      if (outcome === 'unknown_product') throw unknownProducts([sku]);
      if (outcome === 'full') {
        throw new Problem('wishlist_full', `a wishlist has at most ${MAX_LINES_OF_WISHLIST} products`);
      }
      return { status: 200, body: { sku, quantity } };
    },
  };
}

/** `DELETE /api/v1/wishlist/:sku`: takes a product off it; that it was not on it is a success too. */
export function deleteWishlistLineRoute({ changeWishlist }: WishlistOptions): Route {
  return {
    method: 'delete',
    path: '/api/v1/wishlist/:sku',
    access: 'customer',
    body: null,
    async handle({ parameters: [sku = ''], caller, isGone }) {
      await changeWishlist({ user: caller.user, sku, quantity: 0 }, { isGone });
      return { status: 204 };
    },
  };
}
