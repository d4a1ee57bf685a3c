import type { Adjustment, AdjustmentOutcome } from '../../domain/adjustment.ts';
import { InternalFault } from '../../domain/fault.ts';
import type { BatchCommand, BatchOutcome } from '../batcher.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

/** An adjustment to make, with the token of its idempotency key (`tokenOf`), if it carries one. */
export interface AdjustmentRequest extends Adjustment {
  readonly token?: string | undefined;
}

/** The results of `lua/adjust-stock.lua`, by their numbers there. */
export const RESULTS = {
  ADJUSTED: 1,
  SHORT: 2,
  UNKNOWN: 3,
  TOO_MANY: 4,
  CORRUPT: 5,
  REPLAYED: 6,
  MISMATCH: 7,
  INVALID: 8,
} as const;

export const adjustStockScript = loadScript('adjust-stock');

/** Codec of `lua/adjust-stock.lua`, whose header says what each number means. */
export const adjustStock: BatchCommand<AdjustmentRequest, AdjustmentOutcome> = {
  weigh: () => 1,

  pack(requests, epoch, at): LaneCall {
    return {
      script: adjustStockScript,
      epoch,
      at,
      keys: [KEYS.levels, KEYS.prices, ...IDEMPOTENCY_KEYS],
      payload: [requests.flatMap(({ sku, delta, reason, token = '' }) => [sku, delta, reason, token])],
    };
  },

  unpack(reply, requests) {
    const [, results] = reply as [number, number[]];
    return requests.map((request, at) => readOutcome(request, results[2 * at]!, results[2 * at + 1]!));
  },
};

function readOutcome(
  { sku, delta }: AdjustmentRequest,
  result: number,
  available: number,
): BatchOutcome<AdjustmentOutcome> {
  switch (result) {
    case RESULTS.ADJUSTED:
      return { kind: 'adjusted', available };
    case RESULTS.REPLAYED:
      return { kind: 'replayed', available };
    case RESULTS.MISMATCH:
      return { kind: 'idempotency_mismatch' };
    case RESULTS.UNKNOWN:
      return { kind: 'unknown_product' };
    case RESULTS.SHORT:
      return { kind: 'out_of_stock', shortage: { sku, requested: -delta, available } };
    case RESULTS.TOO_MANY:
      return { kind: 'stock_too_large', available };
    case RESULTS.CORRUPT:
      return new InternalFault(`product "${sku}" has a price but no usable level: run bootakhae reconcile`);
    default:
      return new InternalFault(`adjust-stock answered ${result} to a request that passed validation`);
  }
}
