import type { SettledOrder } from '../database/statements/read-settled-orders.ts';
import { InternalFault } from '../domain/fault.ts';
import type { OrderLine } from '../domain/order.ts';
import { eventOf, REGULAR_POOL } from '../domain/pool.ts';
import { formatPosition } from '../domain/position.ts';
import type { Entry } from '../journal/entry.ts';
import type { JournalOrder } from '../journal/order-entry.ts';
import type { LevelUnits, Settlement } from '../journal/settlement-entry.ts';
import type { OutwardMessage, ReturnedLine } from './outward-message.ts';
import type { StockEdges } from './stock-edges.ts';

/** What entries do not say themselves: of settled orders, whose they are; of confirmed ones their lines. By order id. */
export interface OrderFacts {
  readonly orders: ReadonlyMap<string, SettledOrder>;
  readonly lines: ReadonlyMap<string, readonly OrderLine[]>;
}

/** An order that MariaDB must have and has not: nothing is told past it. */
export class UnknownOrder extends InternalFault {
  override readonly name = 'UnknownOrder';
}

/**
 * What is told of an entry, in order: first what became of orders, then what fell over an edge. Ids are `epoch-sequence-n`, and n
 * depends on the entry alone (the order's index, or after the orders that of the level among those it changes), whatever else is
 * configured or known when it is told again. Throws `UnknownOrder`.
 */
export function messagesOf(entry: Entry, edges: StockEdges, facts: OrderFacts): OutwardMessage[] {
  const at = new Date(entry.at).toISOString();
  const idOf = (n: number) => `${formatPosition(entry.position)}-${n}`;
  const told = ordersOf(entry, facts);
  const messages = told.map((body, n) => ({ id: idOf(n), at, ...body }) as OutwardMessage);
  for (const { index, ...edge } of edges.pass(entry))
    messages.push({ id: idOf(told.length + index), at, ...edge });
  return messages;
}

/** Ids of the orders that `entries` settle, and of those among them that were confirmed. */
export function settledIn(entries: readonly Entry[]): { ids: string[]; confirmed: string[] } {
  const settlements = entries.flatMap((entry) => (entry.kind === 'settlements' ? entry.settlements : []));
  const idsOf = (some: readonly Settlement[]) => [...new Set(some.map(({ orderId }) => orderId))];
  return {
    ids: idsOf(settlements),
    confirmed: idsOf(settlements.filter(({ status }) => status === 'placed')),
  };
}

type Body<Message> = Message extends OutwardMessage ? Omit<Message, 'id' | 'at'> : never;

function ordersOf(entry: Entry, facts: OrderFacts): Body<OutwardMessage>[] {
  if (entry.kind === 'orders') return entry.orders.map(newOrderOf);
  if (entry.kind !== 'settlements') return [];
  return entry.settlements.map((settlement) => settlementOf(entry, settlement, facts));
}

function newOrderOf({ userId, order }: JournalOrder): Body<OutwardMessage> {
  const { id, items, total, placedAt, expiresAt } = order;
  const type = expiresAt === null ? 'order.placed' : 'order.held';
  return { type, order: { id, userId, items, total, placedAt, expiresAt } };
}

function settlementOf(
  entry: Entry,
  { orderId: id, status, units, strays, reason }: Settlement,
  { orders, lines }: OrderFacts,
): Body<OutwardMessage> {
  const order = orders.get(id);
  if (!order) {
    throw new UnknownOrder(
      `journal entry ${formatPosition(entry.position)} settles the order ${id}, which MariaDB does not have: run bootakhae reconcile`,
    );
  }
  const { userId, total, placedAt } = order;
  if (status === 'cancelled' || status === 'expired') {
    const items = [...units.map(returned), ...strays.map(strayed)];
    return { type: `order.${status}`, order: { id, userId, items, reason } };
  }
  const items = lines.get(id) ?? [];
  return { type: 'order.placed', order: { id, userId, items, total, placedAt, expiresAt: null } };
}

function returned({ sku, pool, quantity }: LevelUnits): ReturnedLine {
  return { sku, quantity, eventId: eventOf(pool), pool };
}

/** Its event is closed by now. */
function strayed({ sku, pool, quantity }: LevelUnits): ReturnedLine {
  return { sku, quantity, eventId: eventOf(pool), pool: REGULAR_POOL };
}
