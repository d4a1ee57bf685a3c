import type { Product, ProductInEvent } from '../../engine/domain/product.ts';

function showEvent({ id, price, stock, endsAt }: ProductInEvent) {
  return { id, price, stock, endsAt: new Date(endsAt).toISOString() };
}

/** A product as outsiders see it, with what the sale event that carries it now makes of it. */
export function showProduct({ sku, price, stock, details, event }: Product) {
  const { name, ...rest } = details;
  return { sku, name, price, stock, ...rest, event: event && showEvent(event) };
}
