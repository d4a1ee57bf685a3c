import { InternalFault } from '../../domain/fault.ts';
import type { OrderLine, OrderStatus } from '../../domain/order.ts';
import { formatOrderId, formatPlace, type OrderPlace } from '../../domain/order-id.ts';
import { levelField, poolOf } from '../../domain/pool.ts';
import type { Position } from '../../domain/position.ts';
import type { BatchCommand, BatchOutcome } from '../batcher.ts';
import { IDEMPOTENCY_KEYS, KEYS, SETTLEMENT_KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

export type SettlementAction = 'confirm' | 'cancel';

/** Units of a line, and the sale event whose pool they were taken from; null = `regular`. */
export type SoldUnits = Pick<OrderLine, 'sku' | 'quantity' | 'eventId'>;

/** A wish to confirm or cancel an order, with what was read of it: its status, its lines, and as of which entry. */
export interface SettlementRequest {
  readonly place: OrderPlace;
  readonly action: SettlementAction;
  readonly status: OrderStatus;
  readonly lines: readonly SoldUnits[];
  readonly asOf: Position;
  /** Whose order it is: whose counts of limited units go down. */
  readonly user: string;
  /** The token of its idempotency key (`tokenOf`), if it carries one. */
  readonly token?: string | undefined;
  /** Why it is to be cancelled (`isReason`), where somebody said; kept with an order that this cancels. */
  readonly reason?: string | undefined;
}

/**
 * `status` is the order's now. `again`: what was read may be out of date; nothing was done. `replayed`: its idempotency key
 * led to `status` before, and nothing was done now.
 */
export interface SettlementOutcome {
  readonly kind: 'done' | 'already' | 'impossible' | 'again' | 'replayed' | 'idempotency_mismatch';
  readonly status: OrderStatus;
}

export const settleOrdersScript = loadScript('settle-orders');

/** The results of `lua/settle-orders.lua`, by their numbers there. */
export const RESULTS = {
  DONE: 1,
  ALREADY: 2,
  IMPOSSIBLE: 3,
  AGAIN: 4,
  CORRUPT: 5,
  REPLAYED: 6,
  MISMATCH: 7,
} as const;

const KINDS = new Map<number, SettlementOutcome['kind']>([
  [RESULTS.DONE, 'done'],
  [RESULTS.ALREADY, 'already'],
  [RESULTS.IMPOSSIBLE, 'impossible'],
  [RESULTS.AGAIN, 'again'],
  [RESULTS.REPLAYED, 'replayed'],
  [RESULTS.MISMATCH, 'idempotency_mismatch'],
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
      keys: [...SETTLEMENT_KEYS, KEYS.forgotten, ...IDEMPOTENCY_KEYS],
      payload: [
        requests.map(({ place, action, status, lines, asOf, user, token = '', reason = '' }) => [
          formatPlace(place),
          ACTIONS[action],
          status,
          lines.flatMap(({ sku, quantity, eventId }) => [
            levelField({ sku, pool: poolOf(eventId) }),
            quantity,
          ]),
          asOf.epoch,
          asOf.sequence,
          user,
          token,
          reason,
        ]),
      ],
    };
  },

  unpack(reply, requests) {
    const [, results] = reply as [number, [number, OrderStatus][]];
    return results.map(([result, status], at) => readOutcome(requests[at]!, result, status));
  },
};

function readOutcome(
  { place }: SettlementRequest,
  result: number,
  status: OrderStatus,
): BatchOutcome<SettlementOutcome> {
  const kind = KINDS.get(result);
  if (kind) return { kind, status };
  if (result !== RESULTS.CORRUPT) return new InternalFault(`settle-orders answered ${result}`);
  return new InternalFault(
    `order ${formatOrderId(place)} cannot be settled: Redis's record of it, or a level that its units go back to, is spoilt: run bootakhae reconcile`,
  );
}
