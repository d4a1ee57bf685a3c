import { type KeptOrder, presentOrder } from '../../engine/domain/order.ts';
import { type SettleOrder, settleOrder } from '../../engine/journal/settle-order.ts';
import type { SettlementAction, SettlementOutcome } from '../../engine/redis/commands/settle-orders.ts';
import { idempotencyMismatch, Problem } from '../http/problem.ts';
import { REPLAYED, type Reply } from '../http/reply.ts';
import type { Request, Route } from '../http/route.ts';
import { findVisibleOrder, type ShowOrderOptions } from './show-order.ts';

export interface SettleOrderOptions extends ShowOrderOptions {
  readonly settleOrder: SettleOrder;
}

const DONE = { confirm: 'confirmed', cancel: 'cancelled' } as const;

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
      return await settle(action, options, request);
    },
  };
}

async function settle(
  action: SettlementAction,
  options: SettleOrderOptions,
  request: Request,
): Promise<Reply> {
  const { idempotencyToken: token, isGone } = request;
  const find = () => findVisibleOrder(options, request);
  const settled = await settleOrder({ action, token, isGone, find, settleOrder: options.settleOrder });
  return replyToSettlement(action, settled!.found, settled!.outcome); // `find` throws where there is none
}

/** 200 with the order as it is now, or, to a key that was used before, as it was then. */
function replyToSettlement(
  action: SettlementAction,
  { order }: KeptOrder,
  { kind, status }: SettlementOutcome,
): Reply {
  if (kind === 'idempotency_mismatch') throw idempotencyMismatch();
  if (kind === 'impossible') {
    throw new Problem('order_state', `the order is ${status}: it cannot be ${DONE[action]} any more`, {
      members: { orderStatus: status },
    });
  }
  const body = presentOrder({ order, status });
  return kind === 'replayed' ? { status: 200, body, headers: REPLAYED } : { status: 200, body };
}
