import { MAX_LINES_OF_ORDER } from '../../domain/bounds.ts';
import { InternalFault } from '../../domain/fault.ts';
import {
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
} as const;

export const placeOrdersScript = loadScript('place-orders');

/** A wishlist's length is not known before the script reads it: the median of real baskets is 16 lines. */
const LINES_OF_A_TYPICAL_WISHLIST = 16;

/** Codec of `lua/place-orders.lua` for orders that are placed at once. */
export const placeOrders = placeOrdersWithHold(0);

/**
 * Codec of `lua/place-orders.lua`, whose header says what each number means. Accepted orders are held unpaid for
 * `holdMs`, or placed at once when that is 0.
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
      return {
        script: placeOrdersScript,
        epoch,
        at,
        keys: [KEYS.levels, KEYS.prices, KEYS.wishlists, KEYS.holds, KEYS.held, ...IDEMPOTENCY_KEYS],
        payload: [[...positions.keys()], users, orders, tokens, holdMs],
      };
    },

    unpack(reply, requests, call) {
      const [sequence, added, prices, results] = reply as [number, string[], number[], number[]];
      const skus = [...(call.payload[0] as string[]), ...added];
      const priceOf = new Map(skus.map((sku, at) => [sku, prices[at]!]));
      const reader = new ResultReader({ skus, priceOf, results, sequence, call, holdMs });
      return requests.map((request) => reader.next(request));
    },
  };
}

interface ResultSource {
  readonly skus: readonly string[];
  readonly priceOf: ReadonlyMap<string, number>;
  readonly results: readonly number[];
  readonly sequence: number;
  readonly call: LaneCall;
  readonly holdMs: number;
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
    const { call, sequence, holdMs } = this.#source;
    const id = formatOrderId({ epoch: call.epoch, sequence, index: this.#take() });
    const fromWishlist = this.#list(() => ({ sku: this.#sku(), quantity: this.#take() }));
    const lines = (request.lines ?? fromWishlist).map((line) => this.#price(line));
    return newOrder({ id, lines, at: call.at, holdMs });
  }

  #replayedId(): string {
    const [epoch, sequence, index] = [this.#take(), this.#take(), this.#take()];
    return formatOrderId({ epoch, sequence: sequence === -1 ? this.#source.sequence : sequence, index });
  }

  #price({ sku, quantity }: RequestedLine): OrderLine {
    return { sku, quantity, unitPrice: this.#source.priceOf.get(sku)!, eventId: null };
  }

  #shortage() {
    return { sku: this.#sku(), requested: this.#take(), available: this.#take() };
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
