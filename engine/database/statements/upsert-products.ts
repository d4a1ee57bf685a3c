import type { ProductDetails } from '../../domain/product.ts';
import type { Transaction } from '../database.ts';

export interface ProductRow extends ProductDetails {
  readonly sku: string;
  readonly price: number;
}

const SQL = `insert into products (sku, name, price, producer, type, \`function\`, description)
  values (?, ?, ?, ?, ?, ?, ?)
  on duplicate key update name = values(name), price = values(price), producer = values(producer),
    type = values(type), \`function\` = values(\`function\`), description = values(description)`;

/** Creates products or gives those that are there their new price and details. */
export async function upsertProducts(transaction: Transaction, rows: readonly ProductRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    SQL,
    rows.map((row) => [row.sku, row.name, row.price, row.producer, row.type, row.function, row.description]),
  );
}
