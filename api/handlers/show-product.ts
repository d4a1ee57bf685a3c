import type { Product } from '../../engine/domain/product.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { showProduct } from './product-replies.ts';

export interface ShowProductOptions {
  readonly readProducts: (skus: readonly string[]) => Promise<(Product | null)[]>;
}

/** `GET /api/v1/products/:sku`: the product with what is available now. */
export function showProductRoute({ readProducts }: ShowProductOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/products/:sku',
    access: 'anyone',
    body: null,
    async handle({ parameters: [sku = ''] }) {
      const [product] = await readProducts([sku]);
      if (!product) throw new Problem('not_found', `there is no product "${sku}"`);
      return { status: 200, body: showProduct(product) };
    },
  };
}
