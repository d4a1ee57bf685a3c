import { NotAccepting } from '../domain/fault.ts';
import type { KeptOrder } from '../domain/order.ts';
import { parseOrderId } from '../domain/order-id.ts';
import type { SubmitOptions } from '../redis/batcher.ts';
import type {
  SettlementAction,
  SettlementOutcome,
  SettlementRequest,
} from '../redis/commands/settle-orders.ts';

/**
 * What is read is out of date when any order's settlement was drained between the reading and the call: under load that
 * is often, but each reading has a new chance.
 */
const MAX_READS = 20;

export type SettleOrder = (request: SettlementRequest, options: SubmitOptions) => Promise<SettlementOutcome>;

/** What is wished of an order, and how it is read and settled. */
export interface SettlementWish extends SubmitOptions {
  readonly action: SettlementAction;
  /** The token of an idempotency key (`tokenOf`), if there is one. */
  readonly token?: string | undefined;
  /** Why it is to be cancelled, where somebody said. */
  readonly reason?: string | undefined;
  /** Reads the order, wherever it is; asked again when what it read proves to be out of date. */
  readonly find: () => Promise<KeptOrder | null>;
  readonly settleOrder: SettleOrder;
}

/** An order as it was read, and what became of it. */
export interface SettledOrder {
  readonly found: KeptOrder;
  readonly outcome: SettlementOutcome;
}

/**
 * Confirms or cancels an order in any state and of any age, once, however often it is asked for. Null when there is no such
 * order. Rejects as `find` and `Batcher.submit` do.
 */
export async function settleOrder(wish: SettlementWish): Promise<SettledOrder | null> {
  const { action, token, reason, find, isGone } = wish;
  for (let read = 0; read < MAX_READS; read++) {
    const found = await find();
    if (!found) return null;
    const outcome = await wish.settleOrder({ ...toRequest(found), action, token, reason }, { isGone });
    if (outcome.kind !== 'again') return { found, outcome };
  }
  throw new NotAccepting('the order changes too quickly; nothing was done');
}

function toRequest({ order, status, asOf, userId: user }: KeptOrder): Omit<SettlementRequest, 'action'> {
  return { place: parseOrderId(order.id)!, status, lines: order.items, asOf, user };
}
