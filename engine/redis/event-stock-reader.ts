import { levelField } from '../domain/pool.ts';
import { type SaleEvent, unpackEvent } from '../domain/sale-event.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** A sale event and, of each of its items in their order, the units in its own pool; 0 while it is not open. */
export interface EventStock {
  readonly event: SaleEvent;
  readonly available: readonly number[];
}

/** An event as its record read when it was read last: parsed again only when the record is another. */
interface KnownEvent {
  readonly record: string;
  readonly event: SaleEvent;
  readonly fields: readonly string[];
}

/**
 * Reads the same events and what is left of them again and again, each time in one transaction: an event is never seen
 * open with the stock of before, or closed with stock. What an event's record said the last time says which levels to ask for; only
 * where it has changed meanwhile a second transaction is needed.
 */
export class EventStockReader {
  readonly #redis: RedisClient;
  readonly #known = new Map<string, KnownEvent>();

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** What is there of each of these events, of one instant; null for one that does not exist. */
  async read(ids: readonly string[]): Promise<(EventStock | null)[]> {
    for (;;) {
      const known = ids.map((id) => this.#known.get(id) ?? null);
      const { records, levels } = await this.#readTogether(ids, known);
      const isKnown = known.every((one, at) => records[at] === null || records[at] === one?.record);
      if (isKnown) return assemble(known, records, levels);
      for (const [at, id] of ids.entries()) this.#note(id, records[at] ?? null);
    }
  }

  /** This event will not be read again soon. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  #note(id: string, record: string | null): void {
    if (record === null) {
      this.#known.delete(id);
      return;
    }
    const event = unpackEvent(id, record);
    const fields = event.items.map(({ sku }) => levelField({ sku, pool: id }));
    this.#known.set(id, { record, event, fields });
  }

  async #readTogether(ids: readonly string[], known: readonly (KnownEvent | null)[]) {
    const fields = known.flatMap((one) => one?.fields ?? []);
    const transaction = this.#redis.multi().hmget(KEYS.events, ...ids);
    if (fields.length > 0) transaction.hmget(KEYS.levels, ...fields);
    const [records = [], levels = []] = ((await transaction.exec()) ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply as (string | null)[];
    });
    return { records, levels };
  }
}

function assemble(
  known: readonly (KnownEvent | null)[],
  records: readonly (string | null)[],
  levels: readonly (string | null)[],
): (EventStock | null)[] {
  let from = 0;
  return known.map((one, at) => {
    if (!one) return null;
    const { event, fields } = one;
    const own = levels.slice(from, from + fields.length);
    from += fields.length;
    if (records[at] === null) return null;
    // A pool that is not there has nothing: its event is not open.
    return { event, available: own.map((level) => (event.status === 'open' ? Number(level ?? 0) : 0)) };
  });
}
