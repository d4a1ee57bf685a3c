import { type Static, Type } from '@sinclair/typebox';
import {
  MAX_LINES_OF_ORDER,
  MAX_QUANTITY_UNITS,
  MAX_SKU_CHARACTERS,
  SKU_PATTERN,
  SKU_RULE,
} from '../../engine/domain/bounds.ts';
import { mergeLines, type RequestedLine } from '../../engine/domain/order.ts';
import { invalidRequest } from '../http/problem.ts';
import type { Request, Route } from '../http/route.ts';
import { ExpectedTotal } from './expected-total.ts';
import { type OrderServices, orderAndReply } from './order-replies.ts';
import { readPlainOrder } from './plain-order.ts';

const Line = Type.Object(
  {
    // Not any text: with a lone surrogate, two different texts can become the same bytes on their way to Redis.
    sku: Type.RegExp(new RegExp(SKU_PATTERN, 'u'), { maxLength: MAX_SKU_CHARACTERS, rule: SKU_RULE }),
    quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY_UNITS }),
  },
  { additionalProperties: false },
);

/** The body of an order. */
export const OrderBody = Type.Object(
  {
    items: Type.Array(Line, { minItems: 1, maxItems: MAX_LINES_OF_ORDER }),
    expectedTotal: ExpectedTotal,
  },
  { additionalProperties: false },
);

/** `POST /api/v1/orders`: orders the lines of the body, every one or none. */
export function placeOrderRoute(services: OrderServices): Route {
  return {
    method: 'post',
    path: '/api/v1/orders',
    access: 'customer',
    body: OrderBody,
    readPlain: readPlainOrder,
    refusal: services.orderRefusal,
    handle(request: Request) {
      const { items, expectedTotal } = request.body as Static<typeof OrderBody>;
      const lines = mergeLines(items);
      assertQuantities(lines);
      return orderAndReply(services, request, { lines, expectedTotal });
    },
  };
}

/** Lines that are each in range may pass it when they are added together. */
function assertQuantities(lines: readonly RequestedLine[]): void {
  const excess = lines.filter(({ quantity }) => quantity > MAX_QUANTITY_UNITS);
  if (excess.length === 0) return;
  throw invalidRequest(
    excess.map(({ sku }) => ({
      path: '/items',
      message: `"${sku}": more than ${MAX_QUANTITY_UNITS} units in all`,
    })),
  );
}
