import { MAX_LINES_OF_ORDER } from '../../domain/bounds.ts';
import { InternalFault } from '../../domain/fault.ts';
import {
  holdOf,
  type LimitExcess,
  newOrder,
  type Order,
  type OrderLine,
  type OrderOutcome,
  type RequestedLine,
} from '../../domain/order.ts';
import { formatOrderId } from '../../domain/order-id.ts';
import { type BatchCommand, type BatchOutcome, DEFERRED } from '../batcher.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

/** A wish to order: these lines, each SKU once; or, with null, whatever is on the user's wishlist. */
export interface OrderRequest {
  readonly user: string;
  readonly lines: readonly RequestedLine[] | null;
  /** The token of its idempotency key (`tokenOf`), if it carries one. */
  readonly token?: string | undefined;
  /** What it costs as its user was shown it, in minor units; another total refuses it. */
  readonly expectedTotal?: number | undefined;
}

/** The results of `lua/place-orders.lua`, by their numbers there. */
export const RESULTS = {
  ACCEPTED: 1,
  SHORT: 2,
  UNKNOWN: 3,
  EMPTY: 4,
  DEFERRED: 5,
  CORRUPT: 6,
  INVALID: 7,
  TOO_LARGE: 8,
  REPLAYED: 9,
  MISMATCH: 10,
  LIMITED: 11,
  PRICE_CHANGED: 12,
} as const;

export const placeOrdersScript = loadScript('place-orders');

/** The keys of `lua/place-orders.lua` after the lane's. */
export const PLACE_ORDERS_KEYS: readonly string[] = [
  KEYS.levels,
  KEYS.prices,
  KEYS.wishlists,
  KEYS.holds,
  KEYS.held,
  KEYS.offers,
  KEYS.counts,
  ...IDEMPOTENCY_KEYS,
];

/** A wishlist's length is not known before the script reads it: the median of real baskets is 16 lines. */
const LINES_OF_A_TYPICAL_WISHLIST = 16;

/** Codec of `lua/place-orders.lua` for orders that are placed at once. */
export const placeOrders = placeOrdersWithHold(0);

/**
 * Codec of `lua/place-orders.lua`, whose header says what each number means. Accepted orders are held unpaid for
 * `holdMs`, or placed at once when that is 0; a sale event that carries a line may say otherwise.
 */
export function placeOrdersWithHold(holdMs: number): BatchCommand<OrderRequest, OrderOutcome> {
  return {
    weigh({ lines }) {
      if (lines && (lines.length === 0 || lines.length > MAX_LINES_OF_ORDER)) {
        throw new InternalFault(`an order of ${lines.length} lines passed validation`);
      }
      return lines?.length ?? LINES_OF_A_TYPICAL_WISHLIST;
    },

    pack(requests, epoch, at): LaneCall {
      const positions = new Map<string, number>();
      const orders: number[] = [];
      for (const { lines } of requests) {
        orders.push(lines?.length ?? 0);
        for (const { sku, quantity } of lines ?? []) {
          const position = positions.get(sku) ?? positions.size + 1;
          positions.set(sku, position);
          orders.push(position, quantity);
        }
      }
      const users = requests.map(({ user }) => user);
      const tokens = requests.flatMap(({ token }, at) => (token ? [at + 1, token] : []));
      const totals = requests.flatMap(({ expectedTotal: total }, at) =>
        total === undefined ? [] : [at + 1, total],
      );
      return {
        script: placeOrdersScript,
        epoch,
        at,
        keys: PLACE_ORDERS_KEYS,
        payload: [[...positions.keys()], users, orders, tokens, holdMs, totals],
      };
    },

    unpack(reply, requests, call) {
      const [sequence, added, prices, results, events, holds] = reply as PlaceOrdersReply;
      const skus = [...(call.payload[0] as string[]), ...added];
      const termsOf = new Map<string, Terms>(
        skus.map((sku, at) => [sku, { unitPrice: prices[at]!, eventId: null }]),
      );
      for (let at = 0; at < events.length; at += 2) {
        const position = events[at] as number;
        const eventId = events[at + 1] as string;
        termsOf.set(skus[position - 1]!, { unitPrice: prices[position - 1]!, eventId });
      }
      const reader = new ResultReader({ skus, termsOf, results, sequence, call, holds });
      return requests.map((request) => reader.next(request));
    },
  };
}

type PlaceOrdersReply = [
  sequence: number,
  added: string[],
  prices: number[],
  results: number[],
  events: (number | string)[],
  holds: number | number[],
];

/** How a SKU is sold in this call: `unitPrice` in minor units. */
type Terms = Pick<OrderLine, 'unitPrice' | 'eventId'>;

interface ResultSource {
  readonly skus: readonly string[];
  readonly termsOf: ReadonlyMap<string, Terms>;
  readonly results: readonly number[];
  readonly sequence: number;
  readonly call: LaneCall;
  /** ms, of every accepted order, or of each by its index in the entry. */
  readonly holds: number | readonly number[];
}

/** Reads the flat results one order after another. */
class ResultReader {
  readonly #source: ResultSource;
  #cursor = 0;

  constructor(source: ResultSource) {
    this.#source = source;
  }

  next(request: OrderRequest): BatchOutcome<OrderOutcome> {
    const result = this.#take();
    switch (result) {
      case RESULTS.ACCEPTED:
        return { kind: 'accepted', order: this.#order(request) };
      case RESULTS.REPLAYED:
        return { kind: 'replayed', orderId: this.#replayedId() };
      case RESULTS.MISMATCH:
        return { kind: 'idempotency_mismatch' };
      case RESULTS.SHORT:
        return { kind: 'out_of_stock', shortages: this.#list(() => this.#shortage()) };
      case RESULTS.UNKNOWN:
        return { kind: 'unknown_product', skus: this.#list(() => this.#sku()) };
      case RESULTS.TOO_LARGE:
        return { kind: 'total_too_large' };
      case RESULTS.PRICE_CHANGED:
        return { kind: 'price_changed', total: this.#take() };
      case RESULTS.LIMITED:
        return { kind: 'limit_exceeded', excesses: this.#list(() => this.#excess()) };
      case RESULTS.EMPTY:
        return { kind: 'empty_wishlist' };
      case RESULTS.DEFERRED:
        return DEFERRED;
      case RESULTS.CORRUPT:
        return new InternalFault(
          `product "${this.#sku()}" has a price but no usable level: run bootakhae reconcile`,
        );
      default:
        return new InternalFault(`place-orders answered ${result} to a request that passed validation`);
    }
  }

  #order(request: OrderRequest): Order {
    const { call, sequence, holds } = this.#source;
    const index = this.#take();
    const id = formatOrderId({ epoch: call.epoch, sequence, index });
    const fromWishlist = this.#list(() => ({ sku: this.#sku(), quantity: this.#take() }));
    const lines = (request.lines ?? fromWishlist).map((line) => this.#price(line));
    return newOrder({ id, lines, at: call.at, holdMs: holdOf(holds, index) });
  }

  #replayedId(): string {
    const [epoch, sequence, index] = [this.#take(), this.#take(), this.#take()];
    return formatOrderId({ epoch, sequence: sequence === -1 ? this.#source.sequence : sequence, index });
  }

  #price({ sku, quantity }: RequestedLine): OrderLine {
    const { unitPrice, eventId } = this.#source.termsOf.get(sku)!;
    return { sku, quantity, unitPrice, eventId };
  }

  #shortage() {
    return { sku: this.#sku(), requested: this.#take(), available: this.#take() };
  }

  #excess(): LimitExcess {
    return { sku: this.#sku(), limit: this.#take(), already: this.#take(), requested: this.#take() };
  }

  #list<T>(read: () => T): T[] {
    return Array.from({ length: this.#take() }, read);
  }

  #sku(): string {
    return this.#source.skus[this.#take() - 1]!;
  }

  #take(): number {
    const value = this.#source.results[this.#cursor++];
    if (value === undefined) throw new InternalFault('place-orders answered with fewer results than orders');
    return value;
  }
}
