import type { Snapshot } from '../../engine/database/snapshot.ts';
import { readEventPages } from '../../engine/database/statements/read-event-pages.ts';
import { readHoldPages } from '../../engine/database/statements/read-hold-pages.ts';
import { readIdempotencyPages } from '../../engine/database/statements/read-idempotency-pages.ts';
import { readLevelPages } from '../../engine/database/statements/read-level-pages.ts';
import { readLimitCountPages } from '../../engine/database/statements/read-limit-counts.ts';
import { readProductPages } from '../../engine/database/statements/read-product-pages.ts';
import { readWishlistPages } from '../../engine/database/statements/read-wishlist-pages.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { type RebuiltPage, rebuildPage } from '../../engine/redis/commands/rebuild-page.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import type { Changes } from '../fold.ts';
import {
  type OpenEvent,
  packCounts,
  packEvents,
  packHolds,
  packLevels,
  packMarks,
  packOffers,
  packProducts,
  packRecords,
  packWishlists,
} from './redis-records.ts';

export interface RebuildOptions {
  readonly redis: RedisClient;
  /** Inside a snapshot. */
  readonly db: Snapshot['db'];
  readonly epoch: number;
  /** The engine's clock, ms since 1970. */
  readonly nowMs: number;
  /** What waiting dead letters do: Redis has had their effect, MariaDB has not. */
  readonly setAside: Changes;
  readonly setAsideEntries: readonly Entry[];
}

/** How much was written. */
export interface Rebuilt {
  readonly products: number;
  readonly levels: number;
  readonly wishlists: number;
  readonly holds: number;
  readonly idempotencyKeys: number;
}

const ROWS_OF_PAGE = 2_000;

/** Everything that a recovery writes, or that only an older epoch needed. */
const REBUILT_KEYS = [
  ...[KEYS.journal, KEYS.levels, KEYS.prices, KEYS.catalogue, KEYS.wishlists, KEYS.holds, KEYS.held],
  ...[KEYS.settled, KEYS.offers, KEYS.counts, KEYS.events, KEYS.revision, KEYS.pins, KEYS.forgotten],
  ...IDEMPOTENCY_KEYS,
];

/** Revisions of events go on from here in each epoch: one that was read before names none of these. */
const REVISIONS_OF_EPOCH = 1_000_000_000;

/**
 * Writes all that scripts read anew, from MariaDB and the waiting dead letters, page by page, so that memory stays flat
 * whatever the size. Rejects with what Redis says: `FENCED` when another recovery has taken over.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const write: Write = (page) => rebuildPage(options.redis, options.epoch, page);
  for (const key of REBUILT_KEYS) await write({ key, command: 'UNLINK', values: [] });
  await write(packMarks(options.setAsideEntries));
  const open = await rebuildEvents(options, write);
  return {
    products: await rebuildProducts(options, write),
    levels: await rebuildLevels(options, open, write),
    wishlists: await rebuildWishlists(options, write),
    holds: await rebuildHolds(options, open, write),
    idempotencyKeys: await rebuildRecords(options, write),
  };
}

type Write = (page: RebuiltPage) => Promise<void>;
type OpenEvents = ReadonlyMap<string, OpenEvent>;

/** Resolves to the events that are open, by their id. */
async function rebuildEvents(options: RebuildOptions, write: Write): Promise<OpenEvents> {
  const { db, epoch, setAside } = options;
  const changed = new Map(setAside.events.map((row) => [row.event.id, row]));
  const open = new Map<string, OpenEvent>();
  const rebuildRows = async (rows: typeof setAside.events) => {
    await write(packEvents(rows.map(({ event }) => event)));
    for (const { event, opened } of rows)
      if (event.status === 'open' && opened !== null) open.set(event.id, { event, opened });
  };
  for await (const page of readEventPages(db, ROWS_OF_PAGE))
    await rebuildRows(
      page.map((row) => {
        const { event, opened } = changed.get(row.event.id) ?? row;
        changed.delete(row.event.id);
        return { event, opened: opened ?? row.opened };
      }),
    );
  await rebuildRows([...changed.values()]);
  await write(packOffers([...open.values()]));
  for (const each of open.values()) await rebuildCounts(options, each, write);
  await write({ key: KEYS.revision, command: 'SET', values: [String(epoch * REVISIONS_OF_EPOCH)] });
  return open;
}

async function rebuildCounts({ db, setAside }: RebuildOptions, open: OpenEvent, write: Write): Promise<void> {
  const pack = packCounts(open, setAside.counts);
  const opening = { eventId: open.event.id, opened: open.opened };
  for await (const page of readLimitCountPages(db, opening, ROWS_OF_PAGE)) await write(pack.page(page));
  await write(pack.rest());
}

async function rebuildProducts({ db, setAside }: RebuildOptions, write: Write): Promise<number> {
  const missing = new Map(
    setAside.products.map(({ sku, price, ...details }) => [sku, { sku, price, details }]),
  );
  let count = 0;
  for await (const page of readProductPages(db, ROWS_OF_PAGE)) {
    for (const { sku } of page) missing.delete(sku);
    for (const part of packProducts(page)) await write(part);
    count += page.length;
  }
  for (const part of packProducts([...missing.values()])) await write(part);
  return count + missing.size;
}

async function rebuildLevels(
  { db, setAside }: RebuildOptions,
  open: OpenEvents,
  write: Write,
): Promise<number> {
  const pack = packLevels(open, setAside);
  let count = 0;
  const writeLevels = async (values: string[]) => {
    count += values.length / 2;
    await write({ key: KEYS.levels, command: 'HSET', values });
  };
  for await (const page of readLevelPages(db, ROWS_OF_PAGE)) await writeLevels(pack.page(page));
  await writeLevels(pack.rest());
  return count;
}

async function rebuildWishlists({ db }: RebuildOptions, write: Write): Promise<number> {
  let count = 0;
  for await (const page of readWishlistPages(db, ROWS_OF_PAGE)) {
    await write(packWishlists(page));
    count += page.size;
  }
  return count;
}

async function rebuildHolds(
  { db, setAside }: RebuildOptions,
  open: OpenEvents,
  write: Write,
): Promise<number> {
  const pack = packHolds(open, setAside);
  let count = 0;
  const writeHolds = async ({ deadlines, records }: ReturnType<typeof pack.rest>) => {
    count += records.length / 2;
    await write({ key: KEYS.held, command: 'HSET', values: records });
    await write({ key: KEYS.holds, command: 'ZADD', values: deadlines });
  };
  for await (const page of readHoldPages(db, ROWS_OF_PAGE)) await writeHolds(pack.page(page));
  await writeHolds(pack.rest());
  return count;
}

/** All into one slot of the ring: they are kept for longer than was promised, never for less. */
async function rebuildRecords({ db, nowMs, setAside }: RebuildOptions, write: Write): Promise<number> {
  const [state, slot] = IDEMPOTENCY_KEYS as [string, string];
  let count = setAside.idempotencyKeys.length;
  await write({ key: slot, command: 'HSET', values: packRecords(setAside.idempotencyKeys) });
  for await (const page of readIdempotencyPages(db, ROWS_OF_PAGE)) {
    await write({ key: slot, command: 'HSET', values: packRecords(page) });
    count += page.length;
  }
  await write({ key: state, command: 'SET', values: [`1 ${nowMs}`] });
  return count;
}
