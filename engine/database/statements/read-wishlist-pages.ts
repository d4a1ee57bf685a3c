import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** User -> SKU -> quantity. */
export type Wishlists = Map<string, Map<string, number>>;

/** Walks all wishlists by user, about `count` lines a page; a wishlist is never parted. */
export async function* readWishlistPages(db: Kysely<Schema>, count: number): AsyncGenerator<Wishlists> {
  for (let after: string | null = ''; after !== null; ) {
    const last = await readBoundary(db, after, count);
    yield await readPage(db, after, last);
    after = last;
  }
}

async function readBoundary(db: Kysely<Schema>, after: string, count: number): Promise<string | null> {
  const { rows } = await sql<{ user: string }>`
    select user_id as user from wishlist_items where user_id > ${after}
    order by user_id, sku limit 1 offset ${count - 1}`.execute(db);
  return rows[0]?.user ?? null;
}

async function readPage(db: Kysely<Schema>, after: string, last: string | null): Promise<Wishlists> {
  const from = db.selectFrom('wishlist_items').selectAll().where('user_id', '>', after);
  const rows = await (last === null ? from : from.where('user_id', '<=', last)).execute();
  const wishlists: Wishlists = new Map();
  for (const { user_id: user, sku, quantity } of rows) {
    const lines = wishlists.get(user) ?? new Map<string, number>();
    wishlists.set(user, lines.set(sku, quantity));
  }
  return wishlists;
}

/** Which of these users have a wishlist. */
export async function findWishlists(db: Kysely<Schema>, users: readonly string[]): Promise<string[]> {
  if (users.length === 0) return [];
  const query = db.selectFrom('wishlist_items').select('user_id').distinct().where('user_id', 'in', users);
  return (await query.execute()).map(({ user_id }) => user_id);
}
