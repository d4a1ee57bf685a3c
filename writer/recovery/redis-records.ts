import type { LevelRow } from '../../engine/database/statements/insert-levels.ts';
import type { HoldRecord } from '../../engine/database/statements/read-hold-pages.ts';
import type { LevelRecord } from '../../engine/database/statements/read-level-pages.ts';
import type { LimitCount } from '../../engine/database/statements/read-limit-counts.ts';
import type { ProductRecord } from '../../engine/database/statements/read-product-pages.ts';
import type { Wishlists } from '../../engine/database/statements/read-wishlist-pages.ts';
import type { IdempotencyRecord } from '../../engine/domain/idempotency.ts';
import { formatPlace, parseOrderId } from '../../engine/domain/order-id.ts';
import { countKey, eventOf, levelField, parseLevelField } from '../../engine/domain/pool.ts';
import { formatPosition, type Position } from '../../engine/domain/position.ts';
import { packDetails } from '../../engine/domain/product.ts';
import { type EventItem, packEvent, type SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { RebuiltPage } from '../../engine/redis/commands/rebuild-page.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { packMessage } from '../../engine/redis/message-pack.ts';
import type { CountChanges } from '../count-fold.ts';
import type { Changes } from '../fold.ts';

/**
 * Rows of MariaDB as the scripts keep them (docs/DATA.md, "Redis"). Pure. What waiting dead letters did to Redis is added
 * where it belongs.
 */

/** A sale event that is open, and the journal entry that opened it. */
export interface OpenEvent {
  readonly event: SaleEvent;
  readonly opened: Position;
}

/** Prices and details. */
export function packProducts(products: readonly ProductRecord[]): RebuiltPage[] {
  const prices = products.flatMap(({ sku, price }) => [sku, String(price)]);
  const texts = products.flatMap(({ sku, details }) => [sku, packDetails(details)]);
  return [
    { key: KEYS.prices, command: 'HSET', values: prices },
    { key: KEYS.catalogue, command: 'HSET', values: texts },
  ];
}

/** Levels of `regular` and of the pools of open events, flat; `rest` is what only dead letters brought in. */
export function packLevels(open: ReadonlyMap<string, OpenEvent>, setAside: Changes) {
  const added = new Map<string, number>();
  const add = (field: string, units: number) => added.set(field, (added.get(field) ?? 0) + units);
  for (const level of setAside.newLevels) add(levelField(level), level.available);
  for (const level of setAside.levels) add(levelField(level), level.delta);
  /** An event's pool goes when the event is closed; units that are left in one all the same must be seen. */
  const isKept = ({ sku, pool, available }: LevelRow) =>
    eventOf(pool) === null || available !== 0 || itemOf(open.get(pool), sku) !== undefined;
  const flat = (levels: LevelRow[]) =>
    levels.filter(isKept).flatMap((level) => [levelField(level), String(level.available)]);
  return {
    page(levels: readonly LevelRecord[]): string[] {
      return flat(
        levels.flatMap(({ sku, pool, available }) => {
          if (available === null) return []; // movements without a level: reconcile names them
          const field = levelField({ sku, pool });
          const units = added.get(field) ?? 0;
          added.delete(field);
          return [{ sku, pool, available: available + units }];
        }),
      );
    },
    rest: (): string[] =>
      flat(Array.from(added, ([field, available]) => ({ ...parseLevelField(field), available }))),
  };
}

/** Each user's lines, as the scripts pack them. */
export function packWishlists(wishlists: Wishlists): RebuiltPage {
  const values = [...wishlists].flatMap(([user, lines]) => [user, packMessage([...lines].flat())]);
  return { key: KEYS.wishlists, command: 'HSET', values };
}

/** Events as JSON, by their id. */
export function packEvents(events: readonly SaleEvent[]): RebuiltPage {
  return {
    key: KEYS.events,
    command: 'HSET',
    values: events.flatMap((event) => [event.id, packEvent(event)]),
  };
}

/** What open events make of their SKUs. */
export function packOffers(open: readonly OpenEvent[]): RebuiltPage {
  const values = open.flatMap(({ event, opened }) =>
    event.items.flatMap(({ sku, price, limitPerUser }) => {
      const { id, holdSeconds, startsAt, endsAt } = event;
      const times = [holdSeconds * 1_000, startsAt, endsAt];
      return [sku, packMessage([id, price, limitPerUser ?? 0, ...times, opened.epoch, opened.sequence])];
    }),
  );
  return { key: KEYS.offers, command: 'HSET', values };
}

/** What the limits of an open event count; `rest` is what only dead letters brought in. */
export function packCounts({ event, opened }: OpenEvent, setAside: CountChanges) {
  const limited = new Set(
    event.items.flatMap(({ sku, limitPerUser }) => (limitPerUser === null ? [] : [sku])),
  );
  const added = new Map(setAside.deltas.get(event.id) ?? []);
  const pack = (counts: readonly LimitCount[]): RebuiltPage => {
    const values = counts
      .filter(({ sku, units }) => limited.has(sku) && units > 0)
      .flatMap(({ sku, user, units }) => [
        countKey(formatPosition(opened), countKey(sku, user)),
        String(units),
      ]);
    return { key: KEYS.counts, command: 'HSET', values };
  };
  return {
    page(counts: readonly LimitCount[]): RebuiltPage {
      return pack(
        counts.map(({ sku, user, units }) => {
          const key = countKey(sku, user);
          const delta = added.get(key) ?? 0;
          added.delete(key);
          return { sku, user, units: units + delta };
        }),
      );
    },
    rest: (): RebuiltPage => pack(Array.from(added, ([key, units]) => ({ ...splitCountKey(key), units }))),
  };
}

function splitCountKey(key: string): { sku: string; user: string } {
  const { sku, pool: user } = parseLevelField(key);
  return { sku, user };
}

/** Holds: deadlines for the sorted set, records for the hash, both flat; `rest` is what only dead letters brought in. */
export function packHolds(open: ReadonlyMap<string, OpenEvent>, setAside: Changes) {
  const settled = new Set(setAside.statuses.filter(({ status }) => status !== 'held').map(({ id }) => id));
  const place = (id: string) => formatPlace(parseOrderId(id)!);
  const pack = (holds: readonly HoldRecord[]) => {
    const live = holds.filter(({ id }) => !settled.has(id));
    return {
      deadlines: live.flatMap(({ id, deadline }) => [String(deadline ?? 0), place(id)]),
      records: live.flatMap((hold) => [place(hold.id), packHeld(hold, open)]),
    };
  };
  return { page: pack, rest: () => pack(heldOf(setAside)) };
}

/** A customer's counts go down with the hold only where a limit counted its units. */
function packHeld({ user, units }: HoldRecord, open: ReadonlyMap<string, OpenEvent>): Buffer {
  const levels = units.filter((_, at) => at % 2 === 0).map((field) => parseLevelField(String(field)));
  const isCounted = levels.some(({ sku, pool }) => itemOf(open.get(pool), sku)?.limitPerUser != null);
  return packMessage([isCounted ? user : '', units]);
}

function itemOf(open: OpenEvent | undefined, sku: string): EventItem | undefined {
  return open?.event.items.find((item) => item.sku === sku);
}

function heldOf({ orders, items }: Changes): HoldRecord[] {
  const units = new Map<string, (string | number)[]>();
  for (const { orderId, quantity, ...level } of items)
    units.set(orderId, [...(units.get(orderId) ?? []), levelField(level), quantity]);
  return orders.flatMap(({ id, userId: user, status, expiresAt }) =>
    status === 'held' ? [{ id, user, deadline: expiresAt!.getTime(), units: units.get(id) ?? [] }] : [],
  );
}

/** What became of orders whose settlements were set aside: MariaDB does not say. Of an order the last one holds. */
export function packMarks(entries: readonly Entry[]): RebuiltPage {
  const values = entries.flatMap((entry) => {
    if (entry.kind !== 'settlements') return [];
    const id = formatPosition(entry.position);
    return entry.settlements.flatMap(({ orderId, status }) => [
      formatPlace(parseOrderId(orderId)!),
      `${status} ${id}`,
    ]);
  });
  return { key: KEYS.settled, command: 'HSET', values };
}

/** Idempotency records, flat: scope, content and outcome. An order is named by its place there. */
export function packRecords(records: readonly IdempotencyRecord[]): string[] {
  return records.flatMap(({ scope, content, outcome }) => {
    const place = parseOrderId(outcome);
    return [scope, content + (place ? formatPlace(place) : outcome)];
  });
}
