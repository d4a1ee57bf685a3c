import { InternalFault } from '../../domain/fault.ts';
import type { OrderStatus, RequestedLine } from '../../domain/order.ts';
import { formatPlace, type OrderPlace } from '../../domain/order-id.ts';
import type { Position } from '../../domain/position.ts';
import type { BatchCommand } from '../batcher.ts';
import { KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

export type SettlementAction = 'confirm' | 'cancel';

/** A wish to confirm or cancel an order, with what was read of it: its status, its lines, and as of which entry. */
export interface SettlementRequest {
  readonly place: OrderPlace;
  readonly action: SettlementAction;
  readonly status: OrderStatus;
  readonly lines: readonly RequestedLine[];
  readonly asOf: Position;
}

/** `status` is the order's now. `again`: what was read may be out of date; nothing was done. */
export interface SettlementOutcome {
  readonly kind: 'done' | 'already' | 'impossible' | 'again';
  readonly status: OrderStatus;
}

export const settleOrdersScript = loadScript('settle-orders');

/** The results of `lua/settle-orders.lua`, by their numbers there. */
export const RESULTS = { DONE: 1, ALREADY: 2, IMPOSSIBLE: 3, AGAIN: 4 } as const;

const KINDS = new Map<number, SettlementOutcome['kind']>([
  [RESULTS.DONE, 'done'],
  [RESULTS.ALREADY, 'already'],
  [RESULTS.IMPOSSIBLE, 'impossible'],
  [RESULTS.AGAIN, 'again'],
]);
const ACTIONS = { confirm: 1, cancel: 2 } as const;

/** Codec of `lua/settle-orders.lua`. */
export const settleOrders: BatchCommand<SettlementRequest, SettlementOutcome> = {
  weigh: ({ lines }) => lines.length,

  pack(requests, epoch, at): LaneCall {
    return {
      script: settleOrdersScript,
      epoch,
      at,
      keys: [KEYS.levels, KEYS.holds, KEYS.held, KEYS.settled, KEYS.forgotten],
      payload: [
        requests.map(({ place, action, status, lines, asOf }) => [
          formatPlace(place),
          ACTIONS[action],
          status,
          lines.flatMap(({ sku, quantity }) => [sku, quantity]),
          asOf.epoch,
          asOf.sequence,
        ]),
      ],
    };
  },

  unpack(reply) {
    const [, results] = reply as [number, [number, OrderStatus][]];
    return results.map(([result, status]) => {
      const kind = KINDS.get(result);
      return kind ? { kind, status } : new InternalFault(`settle-orders answered ${result}`);
    });
  },
};
