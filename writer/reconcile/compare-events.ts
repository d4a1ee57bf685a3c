import { countKey } from '../../engine/domain/pool.ts';
import { formatPosition, type Position } from '../../engine/domain/position.ts';
import { packEvent, type SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Offer } from '../../engine/redis/event-reader.ts';
import type { Drift, Sides } from './drift.ts';

/** A sale event as MariaDB with the backlog folded in has it. */
interface ExpectedEvent {
  readonly event: SaleEvent;
  readonly opened: Position | null;
}

/** Finds every drift of sale events: their records, the offers of those that are open, and what their limits count. */
export function compareEvents(sides: Sides): Drift[] {
  const expected = foldEvents(sides);
  return [
    ...compareRecords(sides, expected),
    ...compareOffers(sides, expected),
    ...compareCounts(sides, expected),
  ];
}

function foldEvents({ ledger, backlog }: Sides): Map<string, ExpectedEvent> {
  const folded = new Map<string, ExpectedEvent>(ledger.events.map((row) => [row.event.id, row]));
  for (const { event, opened } of backlog.events) {
    folded.set(event.id, { event, opened: opened ?? folded.get(event.id)?.opened ?? null });
  }
  return folded;
}

const drift = (over: Partial<Drift> & Pick<Drift, 'kind'>): Drift => ({
  sku: null,
  pool: null,
  redis: null,
  database: null,
  expected: null,
  difference: null,
  ...over,
});

function compareRecords({ cut, ledger }: Sides, expected: Map<string, ExpectedEvent>): Drift[] {
  const kept = new Set(ledger.events.map(({ event }) => event.id));
  return [...new Set([...cut.events.keys(), ...expected.keys()])]
    .filter((id) => recordOf(cut.events.get(id)) !== recordOf(expected.get(id)?.event))
    .map((id) =>
      drift({
        kind: 'event',
        pool: id,
        redis: Number(cut.events.has(id)),
        database: Number(kept.has(id)),
        expected: Number(expected.has(id)),
      }),
    );
}

function recordOf(event: SaleEvent | undefined): string | null {
  return event ? packEvent(event) : null;
}

function compareOffers({ cut }: Sides, events: Map<string, ExpectedEvent>): Drift[] {
  const expected = new Map<string, Offer>();
  for (const each of openEvents(events)) {
    for (const item of each.event.items) expected.set(item.sku, toOffer(each, item));
  }
  return [...new Set([...cut.offers.keys(), ...expected.keys()])]
    .filter((sku) => JSON.stringify(cut.offers.get(sku)) !== JSON.stringify(expected.get(sku)))
    .map((sku) => {
      const [redis, wanted] = [cut.offers.get(sku), expected.get(sku)];
      const prices = { redis: redis?.price ?? null, expected: wanted?.price ?? null };
      return drift({ kind: 'offer', sku, pool: (wanted ?? redis)!.eventId, ...prices });
    });
}

function openEvents(events: Map<string, ExpectedEvent>): (ExpectedEvent & { opened: Position })[] {
  return [...events.values()].filter(
    (each): each is ExpectedEvent & { opened: Position } =>
      each.event.status === 'open' && each.opened !== null,
  );
}

function toOffer(
  { event, opened }: ExpectedEvent & { opened: Position },
  item: SaleEvent['items'][number],
): Offer {
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

/** Of events that are open; what a closed one left behind is read by nobody and goes by and by. */
function compareCounts(sides: Sides, events: Map<string, ExpectedEvent>): Drift[] {
  return openEvents(events).flatMap(({ event, opened }) => {
    const limited = new Set(event.items.filter(({ limitPerUser }) => limitPerUser !== null).map(skuOf));
    const redis = countsInRedis(sides, opened);
    const kept = sides.ledger.counts.get(event.id) ?? new Map<string, number>();
    const expected = countsExpected(sides, event.id, kept);
    return [...new Set([...redis.keys(), ...expected.keys()])]
      .filter((key) => limited.has(skuOfKey(key)) && (redis.get(key) ?? 0) !== (expected.get(key) ?? 0))
      .map((key) => {
        const [has, wanted] = [redis.get(key) ?? 0, expected.get(key) ?? 0];
        const figures = {
          redis: has,
          database: kept.get(key) ?? 0,
          expected: wanted,
          difference: has - wanted,
        };
        return drift({ kind: 'limit', sku: skuOfKey(key), pool: event.id, ...figures, user: userOfKey(key) });
      });
  });
}

function countsInRedis({ cut }: Sides, opened: Position): Map<string, number> {
  const prefix = countKey(formatPosition(opened), '');
  const counts = new Map<string, number>();
  for (const [field, units] of cut.counts) {
    if (field.startsWith(prefix)) counts.set(field.slice(prefix.length), units);
  }
  return counts;
}

function countsExpected(
  { backlog }: Sides,
  eventId: string,
  kept: ReadonlyMap<string, number>,
): Map<string, number> {
  const expected = new Map(backlog.counts.begun.has(eventId) ? [] : kept);
  for (const [key, delta] of backlog.counts.deltas.get(eventId) ?? []) {
    expected.set(key, (expected.get(key) ?? 0) + delta);
  }
  return expected;
}

const skuOf = ({ sku }: { sku: string }) => sku;
const skuOfKey = (key: string) => key.slice(0, key.indexOf('\0'));
const userOfKey = (key: string) => key.slice(key.indexOf('\0') + 1);
