import type { EventRow } from '../../engine/database/statements/upsert-events.ts';
import { countKey } from '../../engine/domain/pool.ts';
import { formatPosition, type Position } from '../../engine/domain/position.ts';
import { packEvent, type SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Offer } from '../../engine/redis/event-reader.ts';
import { driftOf } from './drift.ts';
import type { Rule } from './rule.ts';
import type { Tally } from './tally.ts';

/** Records of sale events, by id. */
export const eventRule: Rule<EventRow, SaleEvent> = {
  touched: ({ events }) => events.keys(),
  expect: (id, kept, { events }) => events.get(id)?.event ?? kept?.event,

  judge(id, { redis, kept, expected }) {
    if (recordOf(redis) === recordOf(expected)) return [];
    const isThere = {
      redis: Number(Boolean(redis)),
      database: Number(Boolean(kept)),
      expected: Number(Boolean(expected)),
    };
    return [driftOf({ kind: 'event', pool: id, ...isThere })];
  },
};

function recordOf(event: SaleEvent | undefined): string | null {
  return event ? packEvent(event) : null;
}

/** An event that is open, and the journal entry that opened it. */
export interface OpenEvent {
  readonly event: SaleEvent;
  readonly opened: Position;
}

/** The events that are open, with a backlog folded in: few enough to be kept whole. */
export class OpenEvents {
  readonly #kept: ReadonlyMap<string, EventRow>;
  readonly #readings = new Map<Tally, Reading>();

  /** `kept`: those that are open in MariaDB's snapshot. */
  constructor(kept: readonly EventRow[]) {
    this.#kept = new Map(kept.map((row) => [row.event.id, row]));
  }

  /** As `tally` makes them; worked out anew only when events have changed. */
  at(tally: Tally): Reading {
    const known = this.#readings.get(tally);
    if (known?.changes === tally.eventChanges) return known;
    const reading = this.#read(tally);
    this.#readings.set(tally, reading);
    return reading;
  }

  #read({ events, eventChanges: changes }: Tally): Reading {
    const offers = new Map<string, Offer>();
    const byOpening = new Map<string, OpenEvent>();
    for (const [id, { event, opened }] of new Map([...this.#kept, ...events])) {
      const since = opened ?? this.#kept.get(id)?.opened;
      if (event.status !== 'open' || !since) continue;
      byOpening.set(formatPosition(since), { event, opened: since });
      for (const item of event.items) offers.set(item.sku, toOffer({ event, opened: since }, item));
    }
    return { changes, offers, byOpening };
  }
}

interface Reading {
  readonly changes: number;
  /** By SKU. */
  readonly offers: ReadonlyMap<string, Offer>;
  /** By journal id of the opening. */
  readonly byOpening: ReadonlyMap<string, OpenEvent>;
}

function toOffer({ event, opened }: OpenEvent, item: SaleEvent['items'][number]): Offer {
  return {
    eventId: event.id,
    price: item.price,
    limit: item.limitPerUser,
    holdMs: event.holdSeconds * 1_000,
    startsAt: event.startsAt,
    endsAt: event.endsAt,
    opened,
  };
}

/** Offers of the open events, by SKU. */
export function offerRule(events: OpenEvents): Rule<Offer, Offer> {
  return {
    touched: (tally) => events.at(tally).offers.keys(),
    expect: (sku, _, tally) => events.at(tally).offers.get(sku),

    judge(sku, { redis, expected }) {
      if (JSON.stringify(redis) === JSON.stringify(expected)) return [];
      const prices = { redis: redis?.price ?? null, expected: expected?.price ?? null };
      return [driftOf({ kind: 'offer', sku, pool: (expected ?? redis)!.eventId, ...prices })];
    },
  };
}

/** The field of Redis's counts for a customer and a SKU of an opening. */
export function countField(opened: Position, { sku, user }: { sku: string; user: string }): string {
  return countKey(formatPosition(opened), countKey(sku, user));
}

/** Reads what `countField` wrote. */
export function parseCountField(field: string): { opening: string; sku: string; user: string } {
  const [opening = '', sku = '', ...user] = field.split('\0');
  return { opening, sku, user: user.join('\0') };
}

/** What limits count, by field. Of events that are open; what a closed one left behind is read by nobody and goes by and by. */
export function limitRule(events: OpenEvents): Rule<number, number> {
  const limited = (field: string, tally: Tally) => {
    const { opening, sku } = parseCountField(field);
    const open = events.at(tally).byOpening.get(opening);
    return open && isLimited(open, sku) ? open.event.id : null;
  };
  return {
    *touched(tally) {
      for (const open of events.at(tally).byOpening.values()) {
        for (const [key, units] of tally.counts.get(open.event.id) ?? [])
          if (units !== 0) yield countKey(formatPosition(open.opened), key);
      }
    },

    expect(field, kept, tally) {
      const { sku, user } = parseCountField(field);
      const eventId = limited(field, tally);
      if (eventId === null) return undefined;
      return (kept ?? 0) + (tally.counts.get(eventId)?.get(countKey(sku, user)) ?? 0);
    },

    judge(field, { redis = 0, kept = 0, expected = 0, tally }) {
      const eventId = limited(field, tally);
      if (eventId === null || redis === expected) return [];
      const { sku, user } = parseCountField(field);
      const figures = { redis, database: kept, expected, difference: redis - expected };
      return [driftOf({ kind: 'limit', sku, pool: eventId, user, ...figures })];
    },
  };
}

function isLimited({ event }: OpenEvent, sku: string): boolean {
  return event.items.some((item) => item.sku === sku && item.limitPerUser !== null);
}
