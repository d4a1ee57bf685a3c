import type { Kysely } from 'kysely';
import type { Schema } from '../../engine/database/schema.ts';
import type { LevelRow } from '../../engine/database/statements/insert-levels.ts';
import { type HeldOrder, pageHeldOrders } from '../../engine/database/statements/page-held-orders.ts';
import { pageIdempotencyKeys } from '../../engine/database/statements/page-idempotency-keys.ts';
import { pageLevels } from '../../engine/database/statements/page-levels.ts';
import { pageProducts } from '../../engine/database/statements/page-products.ts';
import { type KeptWishlist, pageWishlists } from '../../engine/database/statements/page-wishlists.ts';
import { readEventRows } from '../../engine/database/statements/read-events.ts';
import { readLimitCounts } from '../../engine/database/statements/read-limit-counts.ts';
import type { ProductRow } from '../../engine/database/statements/upsert-products.ts';
import type { IdempotencyRecord } from '../../engine/domain/idempotency.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { rebuildPage } from '../../engine/redis/commands/rebuild-page.ts';
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
  readonly db: Kysely<Schema>;
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
  const { redis, epoch } = options;
  for (const key of REBUILT_KEYS) await rebuildPage(redis, epoch, { key, command: 'UNLINK', values: [] });
  await rebuildPage(redis, epoch, packMarks(options.setAsideEntries));
  const open = await rebuildEvents(options);
  return {
    products: await rebuildProducts(options),
    levels: await rebuildLevels(options, open),
    wishlists: await rebuildWishlists(options),
    holds: await rebuildHolds(options, open),
    idempotencyKeys: await rebuildRecords(options),
  };
}

/** Resolves to the events that are open, by their id. */
async function rebuildEvents({
  redis,
  db,
  epoch,
  setAside,
}: RebuildOptions): Promise<Map<string, OpenEvent>> {
  const rows = new Map((await readEventRows(db)).map((row) => [row.event.id, row]));
  for (const { event, opened } of setAside.events)
    rows.set(event.id, { event, opened: opened ?? rows.get(event.id)?.opened ?? null });
  const open = new Map<string, OpenEvent>();
  for (const { event, opened } of rows.values())
    if (event.status === 'open' && opened !== null) open.set(event.id, { event, opened });
  await rebuildPage(redis, epoch, packEvents([...rows.values()].map(({ event }) => event)));
  await rebuildPage(redis, epoch, packOffers([...open.values()]));
  for (const each of open.values()) {
    const counts = await readLimitCounts(db, each.event.id, each.opened);
    await rebuildPage(redis, epoch, packCounts(each, counts, setAside.counts));
  }
  const values = [String(epoch * REVISIONS_OF_EPOCH)];
  await rebuildPage(redis, epoch, { key: KEYS.revision, command: 'SET', values });
  return open;
}

async function rebuildProducts({ redis, db, epoch, setAside }: RebuildOptions): Promise<number> {
  const missing = new Map(setAside.products.map((product) => [product.sku, product]));
  let count = 0;
  for await (const page of inPages<ProductRow>((after, rows) => pageProducts(db, after?.sku ?? '', rows))) {
    for (const { sku } of page) missing.delete(sku);
    for (const part of packProducts(page)) await rebuildPage(redis, epoch, part);
    count += page.length;
  }
  for (const part of packProducts([...missing.values()])) await rebuildPage(redis, epoch, part);
  return count + missing.size;
}

async function rebuildLevels(
  { redis, db, epoch, setAside }: RebuildOptions,
  open: ReadonlyMap<string, OpenEvent>,
): Promise<number> {
  const pack = packLevels(open, setAside);
  const first = { sku: '', pool: '' };
  let count = 0;
  for await (const page of inPages<LevelRow>((after, rows) => pageLevels(db, after ?? first, rows)))
    count += await write(pack.page(page));
  return count + (await write(pack.rest()));

  async function write(values: string[]): Promise<number> {
    await rebuildPage(redis, epoch, { key: KEYS.levels, command: 'HSET', values });
    return values.length / 2;
  }
}

async function rebuildWishlists({ redis, db, epoch }: RebuildOptions): Promise<number> {
  let count = 0;
  for await (const page of inPages<KeptWishlist>((after, rows) =>
    pageWishlists(db, after?.user ?? '', rows),
  )) {
    await rebuildPage(redis, epoch, packWishlists(page));
    count += page.length;
  }
  return count;
}

async function rebuildHolds(
  { redis, db, epoch, setAside }: RebuildOptions,
  open: ReadonlyMap<string, OpenEvent>,
): Promise<number> {
  const pack = packHolds(open, setAside);
  let count = 0;
  for await (const page of inPages<HeldOrder>((after, rows) => pageHeldOrders(db, after?.id ?? '', rows)))
    count += await write(pack.page(page));
  return count + (await write(pack.rest()));

  async function write({ deadlines, records }: { deadlines: string[]; records: (string | Buffer)[] }) {
    await rebuildPage(redis, epoch, { key: KEYS.held, command: 'HSET', values: records });
    await rebuildPage(redis, epoch, { key: KEYS.holds, command: 'ZADD', values: deadlines });
    return records.length / 2;
  }
}

/** All into one slot of the ring: they are kept for longer than was promised, never for less. */
async function rebuildRecords({ redis, db, epoch, nowMs, setAside }: RebuildOptions): Promise<number> {
  const [state, slot] = IDEMPOTENCY_KEYS as [string, string];
  let count = 0;
  const setAsidePage = packRecords(setAside.idempotencyKeys);
  await rebuildPage(redis, epoch, { key: slot, command: 'HSET', values: setAsidePage });
  for await (const page of inPages<IdempotencyRecord>((after, rows) =>
    pageIdempotencyKeys(db, after?.scope ?? '', rows),
  )) {
    await rebuildPage(redis, epoch, { key: slot, command: 'HSET', values: packRecords(page) });
    count += page.length;
  }
  await rebuildPage(redis, epoch, { key: state, command: 'SET', values: [`1 ${nowMs}`] });
  return count + setAsidePage.length / 2;
}

/** Pages of rows, each read from where the last one ended, until one is not full. */
async function* inPages<Row>(
  read: (after: Row | null, rows: number) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  for (let after: Row | null = null; ; ) {
    const page: Row[] = await read(after, ROWS_OF_PAGE);
    if (page.length > 0) yield page;
    if (page.length < ROWS_OF_PAGE) return;
    after = page.at(-1)!;
  }
}
