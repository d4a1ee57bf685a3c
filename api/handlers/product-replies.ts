import type { Product } from '../../engine/domain/product.ts';

/** A product as outsiders see it. There are no sale events yet, so none carries it. */
export function showProduct({ sku, price, stock, details }: Product) {
  const { name, ...rest } = details;
  return { sku, name, price, stock, ...rest, event: null };
}
