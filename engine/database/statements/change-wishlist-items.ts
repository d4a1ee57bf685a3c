import type { WishlistChange } from '../../domain/wishlist.ts';
import type { Transaction } from '../database.ts';

/** What happens to wishlists: first `emptied` users lose all lines, then `changes` set or remove single ones. */
export interface WishlistItemChanges {
  readonly emptied: readonly string[];
  readonly changes: readonly WishlistChange[];
}

const EMPTY = 'delete from wishlist_items where user_id = ?';
const REMOVE = 'delete from wishlist_items where user_id = ? and sku = ?';
const SET = `insert into wishlist_items (user_id, sku, quantity) values (?, ?, ?)
  on duplicate key update quantity = values(quantity)`;

/** Brings `wishlist_items` up to date: the last state of each line, each row touched once. */
export async function changeWishlistItems(
  transaction: Transaction,
  { emptied, changes }: WishlistItemChanges,
) {
  const removed = changes.filter(({ quantity }) => quantity === 0);
  const set = changes.filter(({ quantity }) => quantity > 0);
  if (emptied.length > 0)
    await transaction.batch(
      EMPTY,
      emptied.map((user) => [user]),
    );
  if (removed.length > 0)
    await transaction.batch(
      REMOVE,
      removed.map(({ user, sku }) => [user, sku]),
    );
  if (set.length > 0)
    await transaction.batch(
      SET,
      set.map(({ user, sku, quantity }) => [user, sku, quantity]),
    );
}
