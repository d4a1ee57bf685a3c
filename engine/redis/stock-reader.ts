import { InternalFault } from '../domain/fault.ts';
import type { RequestedLine } from '../domain/order.ts';
import { type Product, unpackDetails } from '../domain/product.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';

/** Reads products as they stand now; null for each SKU that is unknown. `stock` is what is available. */
export async function readProducts(redis: RedisClient, skus: readonly string[]): Promise<(Product | null)[]> {
  if (skus.length === 0) return [];
  const [prices, levels, details] = await readTogether(redis, skus);
  return skus.map((sku, at) => {
    const price = prices?.[at];
    if (price == null) return null;
    if (levels?.[at] == null || details?.[at] == null) {
      throw new InternalFault(
        `product "${sku}" has a price but no level or details: run bootakhae reconcile`,
      );
    }
    return { sku, price: Number(price), stock: Number(levels[at]), details: unpackDetails(details[at]) };
  });
}

/** In one transaction: a product that is being created is seen whole or not at all. */
async function readTogether(redis: RedisClient, skus: readonly string[]) {
  const replies = await redis
    .multi()
    .hmget(KEYS.prices, ...skus)
    .hmget(KEYS.levels, ...skus)
    .hmget(KEYS.catalogue, ...skus)
    .exec();
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply as (string | null)[];
  });
}

/** Reads a user's wishlist, in the order in which its products were put on it. */
export async function readWishlist(redis: RedisClient, user: string): Promise<RequestedLine[]> {
  const packed = await redis.hgetBuffer(KEYS.wishlists, user);
  return packed ? unpackWishlist(packed) : [];
}

/** Reads a wishlist as `lua/change-wishlists.lua` packs it. */
export function unpackWishlist(packed: Buffer): RequestedLine[] {
  const flat = unpackMessage(packed) as (string | number)[];
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    sku: flat[2 * at] as string,
    quantity: flat[2 * at + 1] as number,
  }));
}
