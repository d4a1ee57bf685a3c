import { holdOf, newOrder, type Order, type OrderLine } from '../domain/order.ts';
import { formatOrderId } from '../domain/order-id.ts';
import { eventOf, parseLevelField } from '../domain/pool.ts';
import type { Position } from '../domain/position.ts';
import { must } from './damage.ts';

/** An accepted order as the journal tells it. */
export interface JournalOrder {
  readonly userId: string;
  readonly order: Order;
  readonly fromWishlist: boolean;
  /** The token of its idempotency key (`tokenOf`), or null. */
  readonly token: string | null;
}

const FROM_WISHLIST = 1;

/** What follows the head of an entry of the kind `orders`. */
export type PackedOrders = [
  levelFields: string[],
  prices: number[],
  users: string[],
  orders: number[],
  tokens: (number | string)[],
  holds: number | number[],
];

/** Reads the accepted orders of an entry. Throws `DamagedEntry`. */
export function readOrders(
  head: { position: Position; at: number },
  packed: PackedOrders,
  where: string,
): JournalOrder[] {
  must(
    packed.length === 6 && packed.slice(0, 5).every(Array.isArray),
    where,
    'its orders are not five arrays',
  );
  const [fields, prices, users, orders, tokens, holds] = packed;
  must([holds].flat().every(isHold), where, 'its hold is out of range');
  must(
    fields.every((field) => typeof field === 'string'),
    where,
    'it names a level that is no text',
  );
  const levels = fields.map(parseLevelField);
  const tokenOf = readTokens(tokens, where);
  let cursor = 0;
  const read = users.map((userId, index) => {
    must(typeof userId === 'string', where, `its order ${index} is nobody's`);
    const flags = orders[cursor++]!;
    const count = orders[cursor++]!;
    must(cursor + 2 * count <= orders.length, where, `its order ${index} is cut off`);
    const items: OrderLine[] = [];
    for (let line = 0; line < count; line++) {
      const at = orders[cursor++]! - 1;
      const quantity = orders[cursor++]!;
      const level = levels[at];
      must(level !== undefined, where, `its order ${index} names a level that is not there`);
      items.push({ sku: level!.sku, quantity, unitPrice: prices[at]!, eventId: eventOf(level!.pool) });
    }
    must(
      items.length > 0 && items.every(isSound),
      where,
      `its order ${index} has no lines or a line out of range`,
    );
    const id = formatOrderId({ ...head.position, index });
    return {
      userId,
      order: newOrder({ id, lines: items, at: head.at, holdMs: holdOf(holds, index) }),
      fromWishlist: (flags & FROM_WISHLIST) !== 0,
      token: tokenOf.get(index) ?? null,
    };
  });
  must(cursor === orders.length, where, 'its lines do not add up');
  return read;
}

/** Index of an order -> the token of its idempotency key. */
function readTokens(flat: readonly (number | string)[], where: string): Map<number, string> {
  const tokens = new Map<number, string>();
  for (let at = 0; at < flat.length; at += 2) {
    const [index, token] = [flat[at], flat[at + 1]];
    must(typeof index === 'number' && typeof token === 'string', where, 'an idempotency token is no text');
    tokens.set(index as number, token as string);
  }
  return tokens;
}

function isHold(ms: unknown): boolean {
  return Number.isSafeInteger(ms) && (ms as number) >= 0;
}

function isSound({ sku, quantity, unitPrice }: OrderLine): boolean {
  return (
    typeof sku === 'string' &&
    Number.isSafeInteger(quantity) &&
    quantity > 0 &&
    Number.isSafeInteger(unitPrice) &&
    unitPrice >= 0
  );
}
