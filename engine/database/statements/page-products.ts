import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { ProductRow } from './upsert-products.ts';

/** Up to `count` products after the SKU `after`, in the order of their SKUs. */
export async function pageProducts(db: Kysely<Schema>, after: string, count: number): Promise<ProductRow[]> {
  return await db
    .selectFrom('products')
    .select(['sku', 'price', 'name', 'producer', 'type', 'function', 'description'])
    .where('sku', '>', after)
    .orderBy('sku')
    .limit(count)
    .execute();
}
