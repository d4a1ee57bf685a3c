import { formatOrderId, formatPlace, parseOrderId, parsePlace } from '../domain/order-id.ts';
import { type ProductDetails, unpackDetails } from '../domain/product.ts';
import { type SaleEvent, unpackEvent } from '../domain/sale-event.ts';
import type { RedisClient } from './client.ts';
import { type Cut, readAtInstant, scanFields, scanMembers } from './cut.ts';
import { type Offer, unpackOffer } from './event-reader.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';
import { unpackWishlist } from './stock-reader.ts';

/** A part of Redis that can be read a page at a time. */
export interface CutReader<Value> {
  /** The keys that there are, about `count` at a time. */
  scan(redis: RedisClient, count: number): AsyncGenerator<string[]>;
  read(redis: RedisClient, keys: readonly string[]): Promise<Cut<Value>>;
}

/** What Redis has of a product; null where one of its two hashes has nothing. */
export interface CutProduct {
  readonly price: number | null;
  readonly details: ProductDetails | null;
}

/** What Redis has of a hold: its deadline in ms since 1970 (`holds`) and its units (`held`), flat: level field, quantity, ... */
export interface CutHold {
  readonly deadline: number | null;
  readonly units: readonly (string | number)[] | null;
}

function readerOfHash<Value>(hash: string, unpack: (raw: Buffer, key: string) => Value): CutReader<Value> {
  return {
    scan: (redis, count) => scanFields(redis, hash, count),
    async read(redis, keys) {
      const { instant, replies } = await readAtInstant(redis, (transaction) =>
        transaction.callBuffer('HMGET', hash, ...keys),
      );
      return { instant, values: pair(keys, replies[0] as (Buffer | null)[], unpack) };
    },
  };
}

/** Level field -> units; not a number where what stands there is none. */
export const levelReader = readerOfHash(KEYS.levels, (raw) => Number(raw.toString()));

/** Field of the counts -> units. */
export const countReader = readerOfHash(KEYS.counts, (raw) => Number(raw.toString()));

/** User -> SKU -> quantity. */
export const wishlistReader = readerOfHash(
  KEYS.wishlists,
  (raw) => new Map((orNull(() => unpackWishlist(raw)) ?? []).map(({ sku, quantity }) => [sku, quantity])),
);

export const offerReader: CutReader<Offer> = readerOfHash(KEYS.offers, unpackOffer);

export const eventReader: CutReader<SaleEvent> = readerOfHash(KEYS.events, (raw, id) =>
  unpackEvent(id, raw.toString()),
);

export const productReader: CutReader<CutProduct> = {
  async *scan(redis, count) {
    yield* scanFields(redis, KEYS.prices, count);
    yield* scanFields(redis, KEYS.catalogue, count);
  },

  async read(redis, keys) {
    const { instant, replies } = await readAtInstant(redis, (transaction) =>
      transaction.hmget(KEYS.prices, ...keys).hmget(KEYS.catalogue, ...keys),
    );
    const [prices, details] = replies as (string | null)[][];
    const products = keys.map((_, at) => toProduct(prices![at]!, details![at]!));
    return { instant, values: pair(keys, products, (product) => product) };
  },
};

function toProduct(price: string | null, details: string | null): CutProduct | null {
  if (price === null && details === null) return null;
  return {
    price: price === null ? null : Number(price),
    details: details === null ? null : orNull(() => unpackDetails(details)),
  };
}

/** By order id. */
export const holdReader: CutReader<CutHold> = {
  async *scan(redis, count) {
    for await (const places of scanFields(redis, KEYS.held, count)) yield places.map(toOrderId);
    for await (const places of scanMembers(redis, KEYS.holds, count)) yield places.map(toOrderId);
  },

  async read(redis, ids) {
    const places = ids.map((id) => formatPlace(parseOrderId(id)!));
    const { instant, replies } = await readAtInstant(redis, (transaction) =>
      transaction.callBuffer('HMGET', KEYS.held, ...places).zmscore(KEYS.holds, ...places),
    );
    const [held, deadlines] = replies as [(Buffer | null)[], (string | null)[]];
    const holds = ids.map((_, at) => toHold(held[at]!, deadlines[at]!));
    return { instant, values: pair(ids, holds, (hold) => hold) };
  },
};

const toOrderId = (place: string) => formatOrderId(parsePlace(place));

function toHold(packed: Buffer | null, deadline: string | null): CutHold | null {
  if (packed === null && deadline === null) return null;
  return {
    deadline: deadline === null ? null : Number(deadline),
    units: packed && orNull(() => (unpackMessage(packed) as [string, (string | number)[]])[1]),
  };
}

/** What is spoilt says nothing, and that is a drift; it must not keep the rest from being compared. */
function orNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function pair<Raw, Value>(
  keys: readonly string[],
  raws: readonly (Raw | null)[],
  unpack: (raw: Raw, key: string) => Value,
): Map<string, Value> {
  const values = new Map<string, Value>();
  keys.forEach((key, at) => {
    const raw = raws[at];
    if (raw !== null && raw !== undefined) values.set(key, unpack(raw, key));
  });
  return values;
}
