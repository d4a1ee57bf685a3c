import { levelField } from '../domain/pool.ts';
import type { Position } from '../domain/position.ts';
import { type EventBook, type SaleEvent, unpackEvent } from '../domain/sale-event.ts';
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

/** One sale event, and the revision that a change of it has to name. */
export interface EventOfBook {
  readonly revision: number;
  /** Null where there is none of that id. */
  readonly event: SaleEvent | null;
}

/** Reads one sale event, of one instant with the revision: what it costs does not grow with the events there are. */
export async function readEvent(redis: RedisClient, id: string): Promise<EventOfBook> {
  const replies = await redis.multi().get(KEYS.revision).hget(KEYS.events, id).exec();
  const [revision, record] = valuesOf(replies) as [string | null, string | null];
  return { revision: Number(revision ?? 0), event: record === null ? null : unpackEvent(id, record) };
}

/** Reads all sale events, of one instant with the revision that a change of one of them has to name. */
export async function readEvents(redis: RedisClient): Promise<EventBook> {
  return await new EventBookReader(redis).read();
}

/** Reads all sale events again and again: of a long book only what has changed is read anew. */
export class EventBookReader {
  readonly #redis: RedisClient;
  #known = new Map<string, { readonly record: string; readonly event: SaleEvent }>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async read(): Promise<EventBook> {
    const replies = await this.#redis.multi().get(KEYS.revision).hgetall(KEYS.events).exec();
    const [revision, records] = valuesOf(replies) as [string | null, Record<string, string>];
    const known = this.#known;
    this.#known = new Map(
      Object.entries(records).map(([id, record]) => {
        const same = known.get(id);
        return [id, same?.record === record ? same : { record, event: unpackEvent(id, record) }];
      }),
    );
    const events = new Map(Array.from(this.#known, ([id, { event }]) => [id, event]));
    return { revision: Number(revision ?? 0), events };
  }
}

/** Throws the first error among the replies of a transaction. */
function valuesOf(replies: readonly [Error | null, unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
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
