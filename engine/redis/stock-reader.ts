import { InternalFault } from '../domain/fault.ts';
import type { RequestedLine } from '../domain/order.ts';
import { levelField, poolOf } from '../domain/pool.ts';
import { type Product, type ProductInEvent, unpackDetails } from '../domain/product.ts';
import type { RedisClient } from './client.ts';
import { unpackOffer } from './event-reader.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';

/**
 * Reads products as they stand at `now` (ms since 1970); null for each SKU that is unknown. `stock` is what is available
 * in `regular`, `event` what the open event that carries the product makes of it.
 */
export async function readProducts(
  redis: RedisClient,
  skus: readonly string[],
  now: number,
): Promise<(Product | null)[]> {
  if (skus.length === 0) return [];
  const [prices, levels, details] = await readTogether(redis, skus);
  const events = await readProductsInEvents(redis, skus, now);
  return skus.map((sku, at) => {
    const price = prices?.[at];
    if (price == null) return null;
    const stock = Number(levels?.[at] ?? Number.NaN);
    if (!Number.isSafeInteger(stock) || details?.[at] == null) {
      throw new InternalFault(
        `product "${sku}" has a price but no level, or one that is no whole number, or no details: run bootakhae reconcile`,
      );
    }
    const event = events[at] ?? null;
    return {
      sku,
      price: Number(price),
      stock,
      details: unpackDetails(details[at]),
      event,
    };
  });
}

/** Each SKU in the event that carries it now. An event that closes between the two readings carries nothing any more. */
async function readProductsInEvents(
  redis: RedisClient,
  skus: readonly string[],
  now: number,
): Promise<(ProductInEvent | null)[]> {
  const packed = (await redis.callBuffer('HMGET', KEYS.offers, ...skus)) as (Buffer | null)[];
  const offers = packed.map((offer) => (offer ? unpackOffer(offer) : null));
  if (offers.every((offer) => offer === null)) return [];
  const fields = skus.map((sku, at) => levelField({ sku, pool: poolOf(offers[at]?.eventId ?? null) }));
  const levels = await redis.hmget(KEYS.levels, ...fields);
  return offers.map((offer, at) => {
    if (!offer || now < offer.startsAt || now >= offer.endsAt || levels[at] == null) return null;
    return { id: offer.eventId, price: offer.price, stock: Number(levels[at]), endsAt: offer.endsAt };
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
