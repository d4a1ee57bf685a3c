import type { Kysely } from 'kysely';
import type { RequestedLine } from '../../domain/order.ts';
import type { Schema } from '../schema.ts';

/** A user's wishlist as MariaDB has it: in the order of its SKUs. */
export interface KeptWishlist {
  readonly user: string;
  readonly lines: readonly RequestedLine[];
}

/** The wishlists of up to `count` users after `after`, in the order of the users. */
export async function pageWishlists(
  db: Kysely<Schema>,
  after: string,
  count: number,
): Promise<KeptWishlist[]> {
  const users = db
    .selectFrom('wishlist_items')
    .select('user_id')
    .distinct()
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(count);
  const rows = await db
    .selectFrom(users.as('page'))
    .innerJoin('wishlist_items as items', 'items.user_id', 'page.user_id')
    .select(['items.user_id', 'items.sku', 'items.quantity'])
    .orderBy('items.user_id')
    .orderBy('items.sku')
    .execute();
  const wishlists = new Map<string, RequestedLine[]>();
  for (const { user_id, sku, quantity } of rows)
    wishlists.set(user_id, [...(wishlists.get(user_id) ?? []), { sku, quantity }]);
  return Array.from(wishlists, ([user, lines]) => ({ user, lines }));
}
