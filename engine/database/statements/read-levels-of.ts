import type { Kysely } from 'kysely';
import type { PoolOfSku } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';

const SKUS_OF_STATEMENT = 1_000;

/** Units available in every pool of these SKUs. */
export async function readLevelsOf(
  db: Kysely<Schema>,
  skus: readonly string[],
): Promise<(PoolOfSku & { readonly available: number })[]> {
  const levels: (PoolOfSku & { available: number })[] = [];
  for (let at = 0; at < skus.length; at += SKUS_OF_STATEMENT) {
    const some = skus.slice(at, at + SKUS_OF_STATEMENT);
    const query = db.selectFrom('stock_levels').select(['sku', 'pool', 'available']).where('sku', 'in', some);
    levels.push(...(await query.execute()));
  }
  return levels;
}
