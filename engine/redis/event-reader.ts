import { levelField } from '../domain/pool.ts';
import type { Position } from '../domain/position.ts';
import { type EventBook, type SaleEvent, unpackEvent } from '../domain/sale-event.ts';
import { sharedRead } from '../runtime/shared-read.ts';
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
  const { revision, records } = await readRecords(redis);
  return { revision, events: new Map(records.map(([id, record]) => [id, unpackEvent(id, record)])) };
}

/** What is kept of each event, by id. */
async function readRecords(redis: RedisClient): Promise<{ revision: number; records: [string, string][] }> {
  const replies = await redis.multi().get(KEYS.revision).hgetall(KEYS.events).exec();
  const [revision, records] = valuesOf(replies) as [string | null, Record<string, string>];
  return { revision: Number(revision ?? 0), records: Object.entries(records) };
}

/**
 * Reads all sale events again and again: as long as nobody has changed one it asks for the revision alone, of a long book that was
 * changed only the records that are other ones are unpacked, and many who ask at once share a read.
 */
export class EventBookReader {
  readonly #redis: RedisClient;
  readonly #shared = sharedRead(() => this.#readAnew());
  #book: EventBook | null = null;
  #known = new Map<string, { readonly record: string; readonly event: SaleEvent }>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
    // A Redis that starts again may have lost a change that was acknowledged to nobody, and give its revision to another one.
    redis.on('close', () => {
      this.#book = null;
    });
  }

  /** The book as it is after this was asked. */
  read(): Promise<EventBook> {
    return this.#shared();
  }

  async #readAnew(): Promise<EventBook> {
    const book = this.#book;
    if (book !== null && Number(await this.#redis.get(KEYS.revision)) === book.revision) return book;
    const { revision, records } = await readRecords(this.#redis);
    const known = this.#known;
    this.#known = new Map(
      records.map(([id, record]) => {
        const same = known.get(id);
        return [id, same?.record === record ? same : { record, event: unpackEvent(id, record) }];
      }),
    );
    const events = new Map(Array.from(this.#known, ([id, { event }]) => [id, event]));
    this.#book = { revision, events };
    return this.#book;
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
