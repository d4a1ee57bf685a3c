import type { Transaction } from '../../engine/database/database.ts';
import { lockOrderStatuses } from '../../engine/database/statements/lock-order-statuses.ts';
import { readKnownScopes } from '../../engine/database/statements/read-known-scopes.ts';
import { readOpenings } from '../../engine/database/statements/read-openings.ts';
import { isAhead, type OrderStatus } from '../../engine/domain/order.ts';
import { parseOrderId } from '../../engine/domain/order-id.ts';
import { comparePositions, formatPosition } from '../../engine/domain/position.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { readEvents } from '../../engine/redis/event-reader.ts';
import { readProducts, readWishlist } from '../../engine/redis/stock-reader.ts';
import type { Changes } from '../fold.ts';
import { ReplayRefused } from './replay-refused.ts';

/**
 * What an entry that comes late does to a MariaDB that has gone on without it. What adds up (orders, lines, movements, units) is
 * the entry's. Where the last word counts, the entry may be out of date: products, wishlists and events are written as Redis
 * has them now, which is never behind MariaDB while the caller holds the checkpoint; orders only move forward; an idempotency key
 * that led somewhere since stays. Throws `ReplayRefused` where something is missing.
 */
export async function lateChanges(
  changes: Changes,
  sides: { redis: RedisClient; transaction: Transaction },
): Promise<Changes> {
  const { redis, transaction } = sides;
  return {
    ...changes,
    products: await presentProducts(changes.products, redis),
    events: await presentEvents(changes.events, sides),
    wishlists: await presentWishlists(changes.wishlists, redis),
    statuses: await forwardStatuses(changes.statuses, transaction),
    idempotencyKeys: await absentKeys(changes.idempotencyKeys, transaction),
  };
}

async function presentProducts(
  products: Changes['products'],
  redis: RedisClient,
): Promise<Changes['products']> {
  const skus = products.map(({ sku }) => sku);
  const present = await readProducts(redis, skus, 0);
  return present.map((product, at) => {
    if (!product)
      throw new ReplayRefused(`Redis does not know the product "${skus[at]}": run bootakhae reconcile`);
    return { sku: product.sku, price: product.price, ...product.details };
  });
}

async function presentWishlists(
  { emptied, changes }: Changes['wishlists'],
  redis: RedisClient,
): Promise<Changes['wishlists']> {
  const users = [...new Set([...emptied, ...changes.map(({ user }) => user)])];
  const present = users.map(async (user) =>
    (await readWishlist(redis, user)).map((line) => ({ user, ...line })),
  );
  return { emptied: users, changes: (await Promise.all(present)).flat() };
}

/** An opening that MariaDB has already and that came later stays: limits count from there. */
async function presentEvents(
  rows: Changes['events'],
  { redis, transaction }: { redis: RedisClient; transaction: Transaction },
): Promise<Changes['events']> {
  if (rows.length === 0) return rows;
  const ids = rows.map(({ event }) => event.id);
  const openings = await readOpenings(transaction, ids);
  const { events } = await readEvents(redis);
  return rows.map(({ event: { id }, opened }) => {
    const event = events.get(id);
    if (!event) throw new ReplayRefused(`Redis does not know the event ${id}: run bootakhae reconcile`);
    const known = openings.get(id);
    const isNews = opened && (!known || comparePositions(opened, known) > 0);
    return { event, opened: isNews ? opened : null };
  });
}

async function forwardStatuses(
  statuses: Changes['statuses'],
  transaction: Transaction,
): Promise<Changes['statuses']> {
  const present = await lockOrderStatuses(
    transaction,
    statuses.map(({ id }) => id),
  );
  return statuses.filter(({ id, status }) => isAhead(status, statusOf(id, present)));
}

function statusOf(id: string, present: ReadonlyMap<string, OrderStatus>): OrderStatus {
  const status = present.get(id);
  if (status) return status;
  throw new ReplayRefused(
    `MariaDB does not have the order ${id}, which it settles: the entry that placed it, ${formatPosition(parseOrderId(id)!)}, must be replayed first; if that was dropped, drop this one too`,
  );
}

async function absentKeys(
  keys: Changes['idempotencyKeys'],
  transaction: Transaction,
): Promise<Changes['idempotencyKeys']> {
  const known = await readKnownScopes(
    transaction,
    keys.map(({ scope }) => scope),
  );
  return keys.filter(({ scope }) => !known.has(scope));
}
