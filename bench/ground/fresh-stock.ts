import type { Database } from '../../engine/database/database.ts';
import { insertLevels } from '../../engine/database/statements/insert-levels.ts';
import { upsertProducts } from '../../engine/database/statements/upsert-products.ts';
import { REGULAR_POOL } from '../../engine/domain/pool.ts';
import type { ProductToPut } from '../../engine/domain/product.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { RIVAL_KEYS } from '../rivals/rival-keys.ts';
import { decideAll, type EngineServers } from './decide-all.ts';

const TABLES = [
  'products',
  'stock_levels',
  'stock_movements',
  'orders',
  'order_items',
  'wishlist_items',
  'dead_letters',
  'outbox',
  // Who acknowledged something in a run before would be missed in this one.
  'processes',
  'recoveries',
  'leases',
] as const;
const PRODUCTS_OF_CALL = 500;

/** Empties MariaDB's tables and puts the checkpoint back to where nothing was ever applied. */
export async function emptyTables(database: Database): Promise<void> {
  for (const table of TABLES) await database.pool.query(`truncate table ${table}`);
  await database.pool.query(
    'update journal_checkpoint set epoch = 0, sequence = 0, fence = 0, applied_at = null',
  );
}

/** Loads products into the tables, as the rivals that know nothing else find them. */
export async function fillTables(database: Database, products: readonly ProductToPut[]): Promise<void> {
  await database.transaction(async (transaction) => {
    await upsertProducts(
      transaction,
      products.map(({ sku, price, details }) => ({ sku, price, ...details })),
    );
    await insertLevels(
      transaction,
      products.map(({ sku, stock }) => ({ sku, pool: REGULAR_POOL, available: stock })),
    );
  });
}

/** Loads products into the hashes of the script an order. */
export async function fillRivalKeys(redis: RedisClient, products: readonly ProductToPut[]): Promise<void> {
  await redis.hset(RIVAL_KEYS.levels, Object.fromEntries(products.map(({ sku, stock }) => [sku, stock])));
  await redis.hset(RIVAL_KEYS.prices, Object.fromEntries(products.map(({ sku, price }) => [sku, price])));
}

/** Loads products through the engine, as `bootakhae import` does; resolves to how many. */
export function fillEngine(servers: EngineServers, products: Iterable<ProductToPut>): Promise<number> {
  return decideAll(servers, {
    command: putProducts,
    items: products,
    itemsOfCall: PRODUCTS_OF_CALL,
    weightOfCall: PRODUCTS_OF_CALL,
    lanes: 1,
    isRight: (outcome) => outcome === 'created',
  });
}
