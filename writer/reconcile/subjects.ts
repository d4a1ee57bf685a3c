import type { Snapshot } from '../../engine/database/snapshot.ts';
import { findEvents, readEventPages } from '../../engine/database/statements/read-event-pages.ts';
import { findHolds, readHoldPages } from '../../engine/database/statements/read-hold-pages.ts';
import { findLevels, readLevelPages } from '../../engine/database/statements/read-level-pages.ts';
import { findLimitCounts, readLimitCountPages } from '../../engine/database/statements/read-limit-counts.ts';
import { findProducts, readProductPages } from '../../engine/database/statements/read-product-pages.ts';
import { findWishlists, readWishlistPages } from '../../engine/database/statements/read-wishlist-pages.ts';
import { levelField, parseLevelField } from '../../engine/domain/pool.ts';
import {
  countReader,
  eventReader,
  holdReader,
  levelReader,
  offerReader,
  productReader,
  wishlistReader,
} from '../../engine/redis/cut-readers.ts';
import {
  countField,
  eventRule,
  limitRule,
  type OpenEvent,
  type OpenEvents,
  offerRule,
  parseCountField,
} from './event-rules.ts';
import { holdRule, productRule, wishlistRule } from './shop-rules.ts';
import { type KeptLevel, levelRule } from './stock-rules.ts';
import { type Comparison, compareSubject, type Subject } from './subject.ts';
import { Tally } from './tally.ts';

type Db = Snapshot['db'];

/**
 * Levels, and MariaDB's own equation of them. `ordered`: units in live orders by level field; those of levels that are
 * met are taken out of it, so that what is left over belongs to no level.
 */
function levelSubject(db: Db, count: number, ordered: Map<string, number>): Subject<KeptLevel, number> {
  return {
    name: 'levels',
    rule: levelRule,
    reader: levelReader,

    async *pages() {
      for await (const rows of readLevelPages(db, count)) {
        const page = new Map<string, KeptLevel>();
        for (const { available, moved, ...level } of rows) {
          const field = levelField(level);
          page.set(field, { available, moved, ordered: ordered.get(field) ?? 0 });
          ordered.delete(field);
        }
        yield page;
      }
      yield new Map(Array.from(ordered, ([field, units]) => [field, { ...NO_LEVEL, ordered: units }]));
    },

    async known(fields) {
      const skus = fields.map((field) => parseLevelField(field).sku);
      const levels = await findLevels(db, skus);
      return new Set([...levels.map(levelField), ...ordered.keys()]);
    },
  };
}

const NO_LEVEL = { available: null, moved: 0 };

/** A subject whose keys and values are nobody else's business. */
export interface Comparable {
  readonly name: string;
  compare(comparison: Comparison): Promise<void>;
}

/** All that Redis keeps and MariaDB can tell. */
export function subjectsOf(
  db: Db,
  { count, ordered, events }: { count: number; ordered: Map<string, number>; events: OpenEvents },
): Comparable[] {
  return [
    comparable(levelSubject(db, count, ordered)),
    comparable(productSubject(db, count)),
    comparable(wishlistSubject(db, count)),
    comparable(holdSubject(db, count)),
    comparable(eventSubject(db, count)),
    comparable(offerSubject(events)),
    comparable(limitSubject(db, count, events)),
  ];
}

function comparable<Kept, Held>(subject: Subject<Kept, Held>): Comparable {
  return { name: subject.name, compare: (comparison) => compareSubject(subject, comparison) };
}

function productSubject(db: Db, count: number) {
  return subjectOf({
    name: 'products',
    rule: productRule,
    reader: productReader,
    async *pages() {
      for await (const rows of readProductPages(db, count)) yield new Map(rows.map((row) => [row.sku, row]));
    },
    known: async (skus) => new Set(await findProducts(db, skus)),
  });
}

function wishlistSubject(db: Db, count: number) {
  return subjectOf({
    name: 'wishlists',
    rule: wishlistRule,
    reader: wishlistReader,
    pages: () => readWishlistPages(db, count),
    known: async (users) => new Set(await findWishlists(db, users)),
  });
}

function holdSubject(db: Db, count: number) {
  return subjectOf({
    name: 'holds',
    rule: holdRule,
    reader: holdReader,
    async *pages() {
      for await (const rows of readHoldPages(db, count)) yield new Map(rows.map((row) => [row.id, row]));
    },
    known: async (ids) => new Set(await findHolds(db, ids)),
  });
}

function eventSubject(db: Db, count: number) {
  return subjectOf({
    name: 'events',
    rule: eventRule,
    reader: eventReader,
    async *pages() {
      for await (const rows of readEventPages(db, count))
        yield new Map(rows.map((row) => [row.event.id, row]));
    },
    known: async (ids) => new Set(await findEvents(db, ids)),
  });
}

/** The offers are all in the open events, which are known: there is nothing more to be read of MariaDB. */
function offerSubject(events: OpenEvents) {
  return subjectOf({
    name: 'offers',
    rule: offerRule(events),
    reader: offerReader,
    async *pages() {
      yield events.at(NOTHING_SINCE).offers;
    },
    known: async () => new Set(events.at(NOTHING_SINCE).offers.keys()),
  });
}

const NOTHING_SINCE = new Tally();

function limitSubject(db: Db, count: number, events: OpenEvents) {
  const openings = [...events.at(NOTHING_SINCE).byOpening].filter(([, open]) => hasLimits(open));
  const byId = new Map(openings);
  return subjectOf({
    name: 'limits',
    rule: limitRule(events),
    reader: countReader,
    async *pages() {
      for (const open of byId.values()) {
        for await (const rows of readLimitCountPages(db, toOpening(open), count))
          yield new Map(rows.map((row) => [countField(open.opened, row), row.units]));
      }
    },
    async known(fields) {
      const known = new Set<string>();
      for (const [opening, users] of usersByOpening(fields)) {
        const open = byId.get(opening);
        if (!open) continue;
        for (const row of await findLimitCounts(db, toOpening(open), users))
          known.add(countField(open.opened, row));
      }
      return known;
    },
  });
}

const hasLimits = ({ event }: OpenEvent) => event.items.some(({ limitPerUser }) => limitPerUser !== null);
const toOpening = ({ event, opened }: OpenEvent) => ({ eventId: event.id, opened });

function usersByOpening(fields: readonly string[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const field of fields) {
    const { opening, user } = parseCountField(field);
    const list = users.get(opening) ?? [];
    list.push(user);
    users.set(opening, list);
  }
  return users;
}

function subjectOf<Kept, Held>(subject: Subject<Kept, Held>): Subject<Kept, Held> {
  return subject;
}
