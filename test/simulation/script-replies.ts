import type { AdjustmentTold } from './model/catalogue.ts';
import type { AskedEvent, EventTold } from './model/events.ts';
import type { Told } from './model/model.ts';
import type { AskedOrder, OrderTold } from './model/orders.ts';
import type { SettlementTold } from './model/settlements.ts';
import type { ChangedEvent, Line, Status } from './model/state.ts';
import { EVENT_ACTIONS, skusOf, type WritingCall } from './script-arguments.ts';

/** Reads replies by the scripts' headers, without the callers' codecs, into the words of the model. */
export function readTold(call: WritingCall, reply: unknown): Told {
  const [sequence, ...rest] = reply as [number, ...unknown[]];
  return { sequence, outcomes: outcomesOf(call, rest, sequence) };
}

const PRODUCT_WORDS = ['created', 'changed', 'unchanged'];
const WISHLIST_WORDS = ['done', 'unknown_product', 'full'];
const SETTLEMENT_WORDS = [
  ...['done', 'already', 'impossible', 'again', 'corrupt', 'replayed', 'mismatch'],
] as SettlementTold['kind'][];
const ADJUSTMENT_WORDS = [
  ...['adjusted', 'out_of_stock', 'unknown_product', 'too_many', 'corrupt'],
  ...['replayed', 'mismatch', 'invalid'],
];

function outcomesOf(call: WritingCall, rest: unknown[], sequence: number): unknown[] {
  switch (call.script) {
    case 'place-orders':
      return readOrders(call.orders, rest as OrdersReply, sequence);
    case 'put-products':
      return (rest[0] as number[]).map((result) => PRODUCT_WORDS[result - 1]);
    case 'change-wishlists':
      return (rest[0] as number[]).map((result) => WISHLIST_WORDS[result - 1]);
    case 'adjust-stock':
      return readAdjustments(rest[0] as number[]);
    case 'settle-orders':
      return (rest[0] as [number, Status][]).map(
        ([result, status]): SettlementTold => ({ kind: SETTLEMENT_WORDS[result - 1]!, status }),
      );
    case 'expire-holds':
      return [{ ended: rest[0], more: rest[1] }];
    case 'change-event':
      return [readEvent(call, rest as EventReply)];
  }
}

function readAdjustments(results: readonly number[]): AdjustmentTold[] {
  return Array.from({ length: results.length / 2 }, (_, at) => ({
    kind: ADJUSTMENT_WORDS[results[2 * at]! - 1]!,
    units: results[2 * at + 1]!,
  }));
}

/** What follows the sequence in a reply of `lua/change-event.lua`. */
type EventReply = [result: number, values: number[], outcome: string];

function readEvent({ items, action }: AskedEvent, [result, values, outcome]: EventReply): EventTold {
  const named = () => values.map((position) => items[position - 1]!.sku);
  switch (result) {
    case 1:
      return { kind: 'changed', moved: values };
    case 2:
      return { kind: 'conflict', revision: values[0]! };
    case 3:
      return { kind: 'taken', skus: named() };
    case 4:
      return { kind: 'unknown_product', skus: named() };
    case 5:
      return { kind: 'corrupt', skus: named() };
    case 8:
      return { kind: 'untimely', at: values[0]! };
    case 9:
      return { kind: 'short', items: readShort(values, items) };
    case 6:
      return { kind: 'replayed', changed: readChanged(outcome) };
    case 7:
      return { kind: 'mismatch' };
    default:
      throw new Error(`to ${action} an event gave a result that the header does not name`);
  }
}

function readShort(flat: readonly number[], items: AskedEvent['items']) {
  return Array.from({ length: flat.length / 3 }, (_, at) => ({
    sku: items[flat[3 * at]! - 1]!.sku,
    requested: flat[3 * at + 1]!,
    available: flat[3 * at + 2]!,
  }));
}

/** Reads what the key of a change of an event led to: it names units by item of the record. */
export function readChanged(outcome: string): ChangedEvent {
  const [, event, action, moved, record] = /^!([^|]*)\|(\d)\|([^|]*)\|(.*)$/s.exec(outcome)!;
  const units = moved!.split(',').map(Number);
  const { items } = JSON.parse(record!) as { items: { sku: string }[] };
  const moves = items.map(({ sku }, at) => ({ sku, units: units[at]! }));
  return { event: event!, action: EVENT_ACTIONS[Number(action)]!, record: record!, moves };
}

/** What follows the sequence in a reply of `lua/place-orders.lua`. */
export type OrdersReply = [
  added: string[],
  prices: number[],
  results: number[],
  events: (number | string)[],
  holds: number | number[],
];

function readOrders(orders: readonly AskedOrder[], reply: OrdersReply, sequence: number): OrderTold[] {
  const reader = new ResultReader([...skusOf(orders), ...reply[0]], reply);
  return orders.map((order) => reader.next(order, sequence));
}

/** Reads the flat results one order after another. */
class ResultReader {
  readonly #skus: readonly string[];
  readonly #prices: readonly number[];
  readonly #results: readonly number[];
  readonly #events = new Map<number, string>();
  readonly #holds: number | readonly number[];
  #at = 0;

  constructor(skus: readonly string[], [, prices, results, events, holds]: OrdersReply) {
    this.#skus = skus;
    this.#prices = prices;
    this.#results = results;
    this.#holds = holds;
    for (let at = 0; at < events.length; at += 2)
      this.#events.set(Number(events[at]) - 1, String(events[at + 1]));
  }

  next({ lines }: AskedOrder, sequence: number): OrderTold {
    switch (this.#take()) {
      case 1:
        return this.#accepted(lines as readonly Line[] | null, sequence);
      case 2:
        return { kind: 'out_of_stock', shortages: this.#list(() => this.#shortage()) };
      case 3:
        return { kind: 'unknown_product', skus: this.#list(() => this.#sku()) };
      case 4:
        return { kind: 'empty_wishlist' };
      case 7:
        return { kind: 'invalid' };
      case 8:
        return { kind: 'too_large' };
      case 9:
        return { kind: 'replayed', place: this.#place(sequence) };
      case 10:
        return { kind: 'mismatch' };
      case 11:
        return { kind: 'limited', excesses: this.#list(() => this.#excess()) };
      case 12:
        return { kind: 'price_changed', total: this.#take() };
      default:
        throw new Error('a result that the header does not name');
    }
  }

  #accepted(lines: readonly Line[] | null, sequence: number): OrderTold {
    const index = this.#take();
    const fromWishlist = this.#list(() => ({ sku: this.#sku(), quantity: this.#take() }));
    const priced = (lines ?? fromWishlist).map(({ sku, quantity }) => {
      const at = this.#skus.indexOf(sku);
      return { sku, quantity, unitPrice: this.#prices[at]!, eventId: this.#events.get(at) ?? null };
    });
    const holdMs = [this.#holds].flat()[typeof this.#holds === 'number' ? 0 : index]!;
    return { kind: 'accepted', place: `1-${sequence}-${index}`, lines: priced, holdMs };
  }

  /** -1 = in this call's entry. */
  #place(sequence: number): string {
    const [epoch, entry, index] = [this.#take(), this.#take(), this.#take()];
    return `${epoch}-${entry === -1 ? sequence : entry}-${index}`;
  }

  #excess() {
    return { sku: this.#sku(), limit: this.#take(), already: this.#take(), requested: this.#take() };
  }

  #shortage() {
    return { sku: this.#sku(), requested: this.#take(), available: this.#take() };
  }

  #list<T>(read: () => T): T[] {
    return Array.from({ length: this.#take() }, read);
  }

  #sku(): string {
    return this.#skus[this.#take() - 1]!;
  }

  #take(): number {
    return this.#results[this.#at++]!;
  }
}
