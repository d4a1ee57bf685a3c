import { type Static, Type } from '@sinclair/typebox';
import {
  isSku,
  MAX_PRICE_MINOR_UNITS,
  MAX_SKU_CHARACTERS,
  MAX_STOCK_UNITS,
} from '../../engine/domain/bounds.ts';
import type { Product, ProductToPut, PutOutcome } from '../../engine/domain/product.ts';
import type { SubmitOptions } from '../../engine/redis/batcher.ts';
import { invalidRequest } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { showProduct } from './product-replies.ts';

/** No NUL and no lone surrogate: what is answered must be what is kept. */
const TEXT = /^[^\0\ud800-\udfff]*$/u;

const Text = (maxLength: number) =>
  Type.Optional(
    Type.Union([Type.RegExp(TEXT, { maxLength }), Type.Null()], {
      rule: `must be null or a text of at most ${maxLength} characters, without NUL and lone surrogates`,
    }),
  );

const Body = Type.Object(
  {
    name: Type.RegExp(TEXT, {
      ...{ minLength: 1, maxLength: 255 },
      rule: 'must have 1 to 255 characters, no NUL and no lone surrogates',
    }),
    price: Type.Integer({ minimum: 0, maximum: MAX_PRICE_MINOR_UNITS }),
    stock: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_STOCK_UNITS })),
    producer: Text(255),
    type: Text(64),
    function: Text(2_000),
    description: Text(10_000),
  },
  { additionalProperties: false },
);

export interface PutProductOptions {
  readonly putProduct: (product: ProductToPut, options: SubmitOptions) => Promise<PutOutcome>;
  readonly readProducts: (skus: readonly string[]) => Promise<(Product | null)[]>;
}

/** `PUT /api/v1/products/:sku`: creates a product with its first stock, or changes its price and details. */
export function putProductRoute({ putProduct, readProducts }: PutProductOptions): Route {
  return {
    method: 'put',
    path: '/api/v1/products/:sku',
    access: 'operator',
    body: Body,
    async handle({ parameters: [sku = ''], body, isGone }) {
      assertSku(sku);
      const outcome = await putProduct(toProduct(sku, body as Static<typeof Body>), { isGone });
      const [product] = await readProducts([sku]);
      return { status: outcome === 'created' ? 201 : 200, body: showProduct(product!) };
    },
  };
}

function toProduct(sku: string, body: Static<typeof Body>): ProductToPut {
  const {
    name,
    price,
    stock = 0,
    producer = null,
    type = null,
    function: purpose = null,
    description = null,
  } = body;
  return { sku, price, stock, details: { name, producer, type, function: purpose, description } };
}

function assertSku(sku: string): void {
  if (isSku(sku)) return;
  const message = `must have 1 to ${MAX_SKU_CHARACTERS} characters, no control characters, no space at either end, in Unicode's composed form (NFC)`;
  throw invalidRequest([{ path: 'sku', message }]);
}
