import type { RequestedLine } from '../domain/order.ts';
import { formatOrderId, parsePlace } from '../domain/order-id.ts';
import { ORIGIN, type Position, parsePosition } from '../domain/position.ts';
import { type SaleEvent, unpackEvent } from '../domain/sale-event.ts';
import type { RedisClient } from './client.ts';
import { type Offer, unpackOffer } from './event-reader.ts';
import { KEYS } from './keys.ts';
import { unpackWishlist } from './stock-reader.ts';

/** Redis at one instant: everything that the journal up to `position` has made of it. */
export interface Cut {
  readonly epoch: number;
  readonly position: Position;
  /** Level field (`levelField`) -> units available. */
  readonly levels: ReadonlyMap<string, number>;
  /** SKU -> minor units of the currency. */
  readonly prices: ReadonlyMap<string, number>;
  /** User -> lines. */
  readonly wishlists: ReadonlyMap<string, readonly RequestedLine[]>;
  /** Ids of the orders that are held. */
  readonly held: ReadonlySet<string>;
  /** SKU -> the offer of an open event. */
  readonly offers: ReadonlyMap<string, Offer>;
  /** `epoch-sequence` of the opening, NUL, SKU, NUL, user -> units in live orders. */
  readonly counts: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, SaleEvent>;
}

/** Reads everything in one transaction, so that no order comes between its parts. Redis serves nobody meanwhile. */
export async function readCut(redis: RedisClient): Promise<Cut> {
  const replies = await redis
    .multi()
    .get(KEYS.epoch)
    .exists(KEYS.journal)
    .xinfo('STREAM', KEYS.journal)
    .call('HGETALL', KEYS.levels)
    .call('HGETALL', KEYS.prices)
    .callBuffer('HGETALL', KEYS.wishlists)
    .hkeys(KEYS.held)
    .callBuffer('HGETALL', KEYS.offers)
    .call('HGETALL', KEYS.counts)
    .call('HGETALL', KEYS.events)
    .exec();
  const [epoch, exists, info, levels, prices, wishlists, held, offers, counts, events] = replies ?? [];
  return {
    epoch: Number(value(epoch) ?? 0),
    position: value(exists) === 1 ? lastPosition(value(info) as unknown[]) : ORIGIN,
    levels: pairs(value(levels) as string[], (units) => Number(units)),
    prices: pairs(value(prices) as string[], (price) => Number(price)),
    wishlists: pairs(value(wishlists) as Buffer[], unpackWishlist),
    held: new Set((value(held) as string[]).map((place) => formatOrderId(parsePlace(place)))),
    offers: pairs(value(offers) as Buffer[], unpackOffer),
    counts: pairs(value(counts) as string[], (units) => Number(units)),
    events: pairs(value(events) as string[], (record, id) => unpackEvent(id, record)),
  };
}

type Reply = [error: Error | null, value: unknown] | undefined;

function value(reply: Reply): unknown {
  if (!reply) throw new Error('Redis gave up the transaction that reads it');
  return reply[1];
}

/** XINFO fails on a journal that was never written; every other reply of the transaction is an error worth hearing. */
function lastPosition(info: unknown[]): Position {
  return parsePosition(String(info[info.indexOf('last-generated-id') + 1]));
}

function pairs<Raw extends string | Buffer, Value>(
  flat: Raw[],
  read: (raw: Raw, name: string) => Value,
): Map<string, Value> {
  const map = new Map<string, Value>();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]!.toString();
    map.set(name, read(flat[at + 1]!, name));
  }
  return map;
}
