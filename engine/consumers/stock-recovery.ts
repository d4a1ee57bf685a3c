import type { Delivery, Subscription, Verdict } from '../broker/broker.ts';
import { STOCK_RECOVERY_QUEUE } from '../broker/topology.ts';
import { isReason, MAX_REASON_CHARACTERS } from '../domain/bounds.ts';
import { InternalFault, NotAccepting } from '../domain/fault.ts';
import type { KeptOrder } from '../domain/order.ts';
import { parseOrderId } from '../domain/order-id.ts';
import { type SettledOrder, type SettleOrder, settleOrder } from '../journal/settle-order.ts';
import type { Logger } from '../runtime/logger.ts';
import { BadMessage, echo, readBody, readText } from './message.ts';
import { untilPossible } from './until-possible.ts';

export interface StockRecoveryOptions {
  /** Resolves to null only where every place an order may be in was asked. */
  readonly findOrder: (id: string) => Promise<KeptOrder | null>;
  readonly settleOrder: SettleOrder;
  /** The epoch in force; throws `NotAccepting` while the gate is closed. */
  readonly epoch: () => number;
  readonly logger: Logger;
}

/** A wish of another service: `stock.recover`. */
interface Recovery {
  readonly orderId: string;
  readonly reason: string;
}

/** They wait for Redis together: what is in hand shares its calls. */
const PREFETCH = 64;

/**
 * Gives the units of orders back that other services name, whatever their state and age: an order that is held or placed is
 * cancelled, one that is cancelled or expired has given them back. However often a message comes, once.
 */
export function stockRecovery(options: StockRecoveryOptions): Subscription {
  return {
    queue: STOCK_RECOVERY_QUEUE,
    prefetch: PREFETCH,
    handle: (delivery) => handle(options, delivery),
  };
}

async function handle(options: StockRecoveryOptions, { content, signal }: Delivery): Promise<Verdict> {
  const { logger } = options;
  try {
    const recovery = readRecovery(content);
    const { orderId } = recovery;
    const settled = await untilPossible({ logger, signal, about: { orderId } }, () =>
      recover(options, recovery),
    );
    if (!settled) return { dead: `there is no order ${orderId}` };
    logger.info({ ...recovery, ...settled.outcome }, 'stock recovered');
    return 'done';
  } catch (error) {
    if (error instanceof BadMessage) return { dead: error.message };
    // No further try will mend what is spoilt, and whoever mends it finds the message where this puts it.
    if (error instanceof InternalFault) return { dead: `not recovered: ${error.message}` };
    throw error;
  }
}

/** While the gate is closed Redis may be one that forgot: that it does not know the order says nothing then. */
async function recover(
  options: StockRecoveryOptions,
  { orderId, reason }: Recovery,
): Promise<SettledOrder | null> {
  const epoch = options.epoch();
  const settled = await settleOrder({
    ...{ action: 'cancel', reason },
    find: () => options.findOrder(orderId),
    settleOrder: options.settleOrder,
  });
  if (!settled && options.epoch() !== epoch)
    throw new NotAccepting('Redis was rebuilt while the order was looked for');
  return settled;
}

function readRecovery(content: Buffer): Recovery {
  const body = readBody(content);
  const orderId = readText(body, 'orderId');
  const reason = readText(body, 'reason');
  if (!parseOrderId(orderId)) throw new BadMessage(`"orderId" ${echo(orderId)} is no order id`);
  if (!isReason(reason))
    throw new BadMessage(
      `"reason" must have 1 to ${MAX_REASON_CHARACTERS} characters, not all blank and none of them a control character`,
    );
  return { orderId, reason };
}
