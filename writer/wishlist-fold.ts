import type { WishlistItemChanges } from '../engine/database/statements/change-wishlist-items.ts';
import type { WishlistChange } from '../engine/domain/wishlist.ts';

/** Folds what becomes of wishlists. */
export class WishlistFold {
  readonly #wishlists = new Map<string, FoldedWishlist>();

  /** A line has this quantity from now on; 0 = it is taken off. */
  change({ user, sku, quantity }: WishlistChange): void {
    const wishlist = this.#wishlists.get(user) ?? { emptied: false, lines: new Map() };
    this.#wishlists.set(user, wishlist);
    wishlist.lines.set(sku, quantity);
  }

  /** It was ordered. */
  empty(user: string): void {
    this.#wishlists.set(user, { emptied: true, lines: new Map() });
  }

  changes(): WishlistItemChanges {
    const emptied: string[] = [];
    const changes: WishlistChange[] = [];
    for (const [user, wishlist] of this.#wishlists) {
      if (wishlist.emptied) emptied.push(user);
      for (const [sku, quantity] of wishlist.lines) {
        if (quantity > 0 || !wishlist.emptied) changes.push({ user, sku, quantity });
      }
    }
    return { emptied, changes };
  }
}

/** `emptied` first, then the last quantity of each line named since; 0 = taken off. */
interface FoldedWishlist {
  readonly emptied: boolean;
  readonly lines: Map<string, number>;
}
