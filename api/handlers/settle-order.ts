import { type KeptOrder, type Order, presentOrder } from '../../engine/domain/order.ts';
import { parseOrderId } from '../../engine/domain/order-id.ts';
import type {
  SettlementAction,
  SettlementOutcome,
  SettlementRequest,
} from '../../engine/redis/commands/settle-orders.ts';
import { Problem } from '../http/problem.ts';
import { notAccepting } from '../http/reply.ts';
import type { Request, Route } from '../http/route.ts';
import { findVisibleOrder, type ShowOrderOptions } from './show-order.ts';

export interface SettleOrderOptions extends ShowOrderOptions {
  readonly settleOrder: (request: SettlementRequest) => Promise<SettlementOutcome>;
}

/**
 * What is read is out of date when any order's settlement was drained between the reading and the call: under load that
 * is often, but each reading has a new chance.
 */
const MAX_READS = 20;

/** `POST /api/v1/orders/:id/confirm`: an order that is held is placed. */
export function confirmOrderRoute(options: SettleOrderOptions): Route {
  return settleRoute('confirm', options);
}

/** `POST /api/v1/orders/:id/cancel`: an order that is held or placed is cancelled, its units go back. */
export function cancelOrderRoute(options: SettleOrderOptions): Route {
  return settleRoute('cancel', options);
}

function settleRoute(action: SettlementAction, options: SettleOrderOptions): Route {
  return {
    method: 'post',
    path: `/api/v1/orders/:id/${action}`,
    access: 'customer',
    body: null,
    async handle(request) {
      return { status: 200, body: await settle(action, options, request) };
    },
  };
}

async function settle(
  action: SettlementAction,
  options: SettleOrderOptions,
  request: Request,
): Promise<Order> {
  for (let read = 0; read < MAX_READS; read++) {
    const found = await findVisibleOrder(options, request);
    const { kind, status } = await options.settleOrder(toRequest(action, found));
    if (kind === 'impossible') {
      throw new Problem('order_state', `the order is ${status}: it cannot be ${action}ed any more`, {
        members: { orderStatus: status },
      });
    }
    if (kind !== 'again') return presentOrder({ order: found.order, status });
  }
  throw notAccepting('the order changes too quickly; nothing was done');
}

function toRequest(action: SettlementAction, { order, status, asOf }: KeptOrder): SettlementRequest {
  return { place: parseOrderId(order.id)!, action, status, lines: order.items, asOf };
}
