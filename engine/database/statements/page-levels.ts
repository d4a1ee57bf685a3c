import type { Kysely } from 'kysely';
import type { PoolOfSku } from '../../domain/pool.ts';
import type { Schema } from '../schema.ts';
import type { LevelRow } from './insert-levels.ts';

/** Up to `count` levels after `after`, in the order of SKU and pool. */
export async function pageLevels(db: Kysely<Schema>, after: PoolOfSku, count: number): Promise<LevelRow[]> {
  return await db
    .selectFrom('stock_levels')
    .select(['sku', 'pool', 'available'])
    .where((eb) =>
      eb.or([eb('sku', '>', after.sku), eb.and([eb('sku', '=', after.sku), eb('pool', '>', after.pool)])]),
    )
    .orderBy('sku')
    .orderBy('pool')
    .limit(count)
    .execute();
}
