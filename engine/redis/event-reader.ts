import { levelField } from '../domain/pool.ts';
import type { Position } from '../domain/position.ts';
import { type EventBook, unpackEvent } from '../domain/sale-event.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';

/** What an open event makes of one SKU; `limit` null = none, `holdMs` 0 = placed at once, times in ms since 1970. */
export interface Offer {
  readonly eventId: string;
  readonly price: number;
  readonly limit: number | null;
  readonly holdMs: number;
  readonly startsAt: number;
  readonly endsAt: number;
  /** The journal entry that opened the event: its limits count the orders after it. */
  readonly opened: Position;
}

/** Reads an offer as `lua/change-event.lua` packs it. */
export function unpackOffer(packed: Buffer): Offer {
  const [eventId, price, limit, holdMs, startsAt, endsAt, epoch, sequence] = unpackMessage(packed) as [
    string,
    ...number[],
  ];
  return {
    eventId,
    price: price!,
    limit: limit === 0 ? null : limit!,
    holdMs: holdMs!,
    startsAt: startsAt!,
    endsAt: endsAt!,
    opened: { epoch: epoch!, sequence: sequence! },
  };
}

/** Reads all sale events, of one instant with the revision that a change of one of them has to name. */
export async function readEvents(redis: RedisClient): Promise<EventBook> {
  const replies = await redis.multi().get(KEYS.revision).hgetall(KEYS.events).exec();
  const [revision, records] = (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [string | null, Record<string, string>];
  const events = Object.entries(records).map(([id, record]) => unpackEvent(id, record));
  return { revision: Number(revision ?? 0), events: new Map(events.map((event) => [event.id, event])) };
}

/** The units that an event's pool has of each SKU now, in order; 0 where there is no such pool. */
export async function readPoolLevels(
  redis: RedisClient,
  eventId: string,
  skus: readonly string[],
): Promise<number[]> {
  if (skus.length === 0) return [];
  const fields = skus.map((sku) => levelField({ sku, pool: eventId }));
  return (await redis.hmget(KEYS.levels, ...fields)).map((level) => Number(level ?? 0));
}
