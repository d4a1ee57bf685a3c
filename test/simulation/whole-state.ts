import { formatPosition } from '../../engine/domain/position.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readCut } from '../../engine/redis/cut.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import type { Model } from './model.ts';

const ALL = 1_000_000;

/** Everything that the scripts can change in Redis, in a form that can be compared. */
export async function readWholeState(redis: RedisClient) {
  const cut = await readCut(redis);
  const entries = await readEntriesAfter(redis, { epoch: 0, sequence: 0 }, { count: ALL });
  return {
    levels: sorted(cut.levels),
    prices: sorted(cut.prices),
    details: sorted(new Map(Object.entries(await redis.hgetall(KEYS.catalogue)))),
    wishlists: sorted(cut.wishlists),
    records: sorted(await readRecords(redis)),
    entries: entries.map(told),
    ids: entries.map(({ position }) => formatPosition(position)),
  };
}

/** The same of a model; the journal's ids are those of epoch 1 without a gap. */
export function stateOfModel(model: Model): Awaited<ReturnType<typeof readWholeState>> {
  return {
    levels: sorted(model.levels),
    prices: sorted(model.prices),
    details: sorted(model.details),
    wishlists: sorted(model.wishlists),
    records: sorted(recordsOf(model)),
    entries: model.entries,
    ids: model.entries.map((_, sequence) => `1-${sequence}`),
  };
}

/** What idempotency keys have led to, whichever slot of the ring it is in. */
async function readRecords(redis: RedisClient): Promise<Map<string, string>> {
  const [, ...slots] = IDEMPOTENCY_KEYS;
  const records = await Promise.all(slots.map((slot) => redis.hgetall(slot)));
  return new Map(records.flatMap((slot) => Object.entries(slot)));
}

function recordsOf({ keys }: Model): Map<string, string> {
  const outcome = (kept: typeof keys extends Map<string, infer Kept> ? Kept : never) =>
    'entry' in kept ? `1-${kept.entry}-${kept.index}` : `=${kept.available}`;
  return new Map(Array.from(keys, ([scope, kept]) => [scope, kept.content + outcome(kept)]));
}

function told(entry: Entry): unknown {
  switch (entry.kind) {
    case 'orders':
      return {
        kind: 'orders',
        orders: entry.orders.map(({ userId, order, fromWishlist, token }) => ({
          user: userId,
          lines: order.items.map(({ sku, quantity }) => ({ sku, quantity })),
          fromWishlist,
          token,
        })),
      };
    case 'products':
      return {
        kind: 'products',
        products: entry.products.map(({ sku, price, stock }) => ({ sku, price, stock })),
      };
    case 'wishlists':
      return { kind: 'wishlists', changes: entry.changes };
    case 'adjustments':
      return { kind: 'adjustments', adjustments: entry.adjustments };
  }
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
