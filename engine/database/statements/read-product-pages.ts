import type { Kysely } from 'kysely';
import type { ProductDetails } from '../../domain/product.ts';
import type { Schema } from '../schema.ts';

/** A product as MariaDB has it; `price` in minor units of the currency. */
export interface ProductRecord {
  readonly sku: string;
  readonly price: number;
  readonly details: ProductDetails;
}

/** Walks all products by SKU, `count` a page. */
export async function* readProductPages(db: Kysely<Schema>, count: number): AsyncGenerator<ProductRecord[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows = await db
      .selectFrom('products')
      .selectAll()
      .where('sku', '>', after)
      .orderBy('sku')
      .limit(count)
      .execute();
    yield rows.map(({ sku, price, ...details }) => ({ sku, price, details }));
    after = rows.length < count ? undefined : rows.at(-1)!.sku;
  }
}

/** Which of these SKUs are products. */
export async function findProducts(db: Kysely<Schema>, skus: readonly string[]): Promise<string[]> {
  if (skus.length === 0) return [];
  const rows = await db.selectFrom('products').select('sku').where('sku', 'in', skus).execute();
  return rows.map(({ sku }) => sku);
}
