import { InternalFault } from '../../domain/fault.ts';
import {
  type ChangedEvent,
  EVENT_ACTIONS,
  type EventAction,
  type Occurrence,
  packEvent,
  parseEventOutcome,
  type SaleEvent,
} from '../../domain/sale-event.ts';
import type { BatchCommand } from '../batcher.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

/** A sale event as it is to be from now on; `revision` is that of the book as of which this was decided. */
export interface EventRequest {
  readonly revision: number;
  readonly event: SaleEvent;
  readonly action: EventAction;
  /** What becomes of the event's windows by it. */
  readonly occurrences?: readonly Occurrence[];
  /** Of an adjustment: the units to move into the pool by item (negative: back), and why. */
  readonly deltas?: readonly number[];
  readonly reason?: string;
  /** The token of its idempotency key (`tokenOf`), if it carries one. */
  readonly token?: string | undefined;
}

/**
 * What became of it. `replayed`: its idempotency key led to this before, nothing was done now. `conflict`: the book has
 * changed, read it again. `untimely`: the clock, now `at`, is not within the window that was to be opened. Those with SKUs name the
 * SKUs that stand against it; nothing was changed.
 */
export type EventOutcome =
  | { readonly kind: 'changed'; readonly changed: ChangedEvent }
  | { readonly kind: 'replayed'; readonly changed: ChangedEvent }
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'untimely'; readonly at: number }
  | { readonly kind: 'short'; readonly items: readonly AllotmentShortage[] }
  | { readonly kind: 'taken'; readonly skus: readonly string[] }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] };

/** Units of a SKU that were to be moved between `regular` and an event's pool, and how many there were. */
export interface AllotmentShortage {
  readonly sku: string;
  /** Negative: out of the event's pool. */
  readonly requested: number;
  readonly available: number;
}

export const changeEventScript = loadScript('change-event');

/** The results of `lua/change-event.lua`, by their numbers there. */
export const RESULTS = {
  CHANGED: 1,
  CONFLICT: 2,
  TAKEN: 3,
  UNKNOWN: 4,
  CORRUPT: 5,
  REPLAYED: 6,
  MISMATCH: 7,
  UNTIMELY: 8,
  SHORT: 9,
} as const;

/** Codec of `lua/change-event.lua`, which takes one event a call. */
export const changeEvent: BatchCommand<EventRequest, EventOutcome> = {
  weigh: () => 1,

  pack([request], epoch, at): LaneCall {
    const { revision, event, action, token = '', occurrences = [], deltas = [], reason = '' } = request!;
    const { id, items, holdSeconds, startsAt, endsAt } = event;
    const flat = items.flatMap(({ sku, stock, price, limitPerUser }) => [
      sku,
      stock,
      price,
      limitPerUser ?? 0,
    ]);
    return {
      script: changeEventScript,
      epoch,
      at,
      keys: [KEYS.levels, KEYS.prices, KEYS.offers, KEYS.events, KEYS.revision, ...IDEMPOTENCY_KEYS],
      payload: [
        revision,
        id,
        packEvent(event),
        EVENT_ACTIONS.indexOf(action),
        flat,
        holdSeconds * 1_000,
        startsAt,
        endsAt,
        token,
        occurrences.flatMap(({ number, startsAt: from, endsAt: until, status }) => [
          number,
          from,
          until,
          status,
        ]),
        deltas,
        reason,
      ],
    };
  },

  unpack(reply, [request]) {
    const [, result, values, outcome] = reply as [number, number, number[], string];
    const named = () => values.map((position) => request!.event.items[position - 1]!.sku);
    switch (result) {
      case RESULTS.CHANGED:
        return [
          { kind: 'changed', changed: { event: request!.event, action: request!.action, moved: values } },
        ];
      case RESULTS.REPLAYED:
        return [{ kind: 'replayed', changed: parseEventOutcome(outcome) }];
      case RESULTS.MISMATCH:
        return [{ kind: 'idempotency_mismatch' }];
      case RESULTS.CONFLICT:
        return [{ kind: 'conflict' }];
      case RESULTS.UNTIMELY:
        return [{ kind: 'untimely', at: values[0]! }];
      case RESULTS.SHORT:
        return [{ kind: 'short', items: readShortages(values, request!.event) }];
      case RESULTS.TAKEN:
        return [{ kind: 'taken', skus: named() }];
      case RESULTS.UNKNOWN:
        return [{ kind: 'unknown_product', skus: named() }];
      default:
        return [new InternalFault(`no usable level of ${named().join(', ')}: run bootakhae reconcile`)];
    }
  },
};

function readShortages(flat: readonly number[], { items }: SaleEvent): AllotmentShortage[] {
  return Array.from({ length: flat.length / 3 }, (_, at) => {
    const [position, requested, available] = flat.slice(3 * at, 3 * at + 3) as [number, number, number];
    return { sku: items[position - 1]!.sku, requested, available };
  });
}
