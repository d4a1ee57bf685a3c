import { InternalFault } from '../../domain/fault.ts';
import type { WishlistChange, WishlistOutcome } from '../../domain/wishlist.ts';
import type { BatchCommand } from '../batcher.ts';
import { KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

export const changeWishlistsScript = loadScript('change-wishlists');

/** The results of `lua/change-wishlists.lua`, by their numbers there. */
export const RESULTS = { DONE: 1, UNKNOWN: 2, FULL: 3 } as const;

const OUTCOMES = new Map<number, WishlistOutcome>([
  [RESULTS.DONE, 'done'],
  [RESULTS.UNKNOWN, 'unknown_product'],
  [RESULTS.FULL, 'full'],
]);

/** Codec of `lua/change-wishlists.lua`. */
export const changeWishlists: BatchCommand<WishlistChange, WishlistOutcome> = {
  weigh: () => 1,

  pack(changes, epoch, at): LaneCall {
    return {
      script: changeWishlistsScript,
      epoch,
      at,
      keys: [KEYS.prices, KEYS.wishlists],
      payload: [changes.flatMap(({ user, sku, quantity }) => [user, sku, quantity])],
    };
  },

  unpack(reply) {
    const [, results] = reply as [number, number[]];
    return results.map((result) => {
      const outcome = OUTCOMES.get(result);
      if (!outcome) throw new InternalFault(`change-wishlists answered ${result}`);
      return outcome;
    });
  },
};
