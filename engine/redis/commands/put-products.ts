import { InternalFault } from '../../domain/fault.ts';
import { type ProductToPut, type PutOutcome, packDetails } from '../../domain/product.ts';
import type { BatchCommand } from '../batcher.ts';
import { KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

export const putProductsScript = loadScript('put-products');

/** The results of `lua/put-products.lua`, by their numbers there. */
export const RESULTS = { CREATED: 1, CHANGED: 2, UNCHANGED: 3 } as const;

const OUTCOMES = new Map<number, PutOutcome>([
  [RESULTS.CREATED, 'created'],
  [RESULTS.CHANGED, 'changed'],
  [RESULTS.UNCHANGED, 'unchanged'],
]);

/** Codec of `lua/put-products.lua`. */
export const putProducts: BatchCommand<ProductToPut, PutOutcome> = {
  weigh: () => 1,

  pack(products, epoch, at): LaneCall {
    return {
      script: putProductsScript,
      epoch,
      at,
      keys: [KEYS.levels, KEYS.prices, KEYS.catalogue],
      payload: [
        products.flatMap(({ sku, price, stock, details }) => [sku, price, stock, packDetails(details)]),
      ],
    };
  },

  unpack(reply) {
    const [, results] = reply as [number, number[]];
    return results.map((result) => {
      const outcome = OUTCOMES.get(result);
      if (!outcome) throw new InternalFault(`put-products answered ${result}`);
      return outcome;
    });
  },
};
