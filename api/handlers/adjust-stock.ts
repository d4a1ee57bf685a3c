import { type Static, Type } from '@sinclair/typebox';
import type { AdjustmentOutcome } from '../../engine/domain/adjustment.ts';
import {
  MAX_ADJUSTMENT_UNITS,
  MAX_REASON_CHARACTERS,
  MAX_STOCK_UNITS,
  REASON_PATTERN,
  reasonRule,
} from '../../engine/domain/bounds.ts';
import type { SubmitOptions } from '../../engine/redis/batcher.ts';
import type { AdjustmentRequest } from '../../engine/redis/commands/adjust-stock.ts';
import { idempotencyMismatch, invalidRequest, Problem } from '../http/problem.ts';
import { REPLAYED, type Reply } from '../http/reply.ts';
import type { Request, Route } from '../http/route.ts';

const Body = Type.Object(
  {
    delta: Type.Integer({ minimum: -MAX_ADJUSTMENT_UNITS, maximum: MAX_ADJUSTMENT_UNITS }),
    reason: Type.RegExp(new RegExp(REASON_PATTERN, 'u'), {
      maxLength: MAX_REASON_CHARACTERS,
      rule: reasonRule(MAX_REASON_CHARACTERS),
    }),
  },
  { additionalProperties: false },
);

export interface AdjustStockOptions {
  readonly adjustStock: (request: AdjustmentRequest, options: SubmitOptions) => Promise<AdjustmentOutcome>;
}

/** `POST /api/v1/products/:sku/adjustments`: adds units to what is available, or takes some away. */
export function adjustStockRoute({ adjustStock }: AdjustStockOptions): Route {
  return {
    method: 'post',
    path: '/api/v1/products/:sku/adjustments',
    access: 'operator',
    body: Body,
    async handle({ parameters: [sku = ''], body, idempotencyToken: token, isGone }: Request) {
      const { delta, reason } = body as Static<typeof Body>;
      if (delta === 0) throw invalidRequest([{ path: '/delta', message: 'must not be 0' }]);
      return replyToAdjustment(sku, await adjustStock({ sku, delta, reason, token }, { isGone }));
    },
  };
}

function replyToAdjustment(sku: string, outcome: AdjustmentOutcome): Reply {
  switch (outcome.kind) {
    case 'adjusted':
      return { status: 201, body: { available: outcome.available } };
    case 'replayed':
      return { status: 201, body: { available: outcome.available }, headers: REPLAYED };
    case 'idempotency_mismatch':
      throw idempotencyMismatch();
    case 'unknown_product':
      throw new Problem('not_found', `there is no product "${sku}"`);
    case 'out_of_stock':
      throw new Problem('out_of_stock', 'that many are not there to take away; nothing was changed', {
        members: { items: [outcome.shortage] },
      });
    case 'stock_too_large':
      throw invalidRequest([
        {
          path: '/delta',
          message: `with the ${outcome.available} there are, passes ${MAX_STOCK_UNITS} units`,
        },
      ]);
  }
}
