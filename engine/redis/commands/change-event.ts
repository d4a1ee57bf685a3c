import { InternalFault } from '../../domain/fault.ts';
import {
  type ChangedEvent,
  EVENT_ACTIONS,
  type EventAction,
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
  /** The token of its idempotency key (`tokenOf`), if it carries one. */
  readonly token?: string | undefined;
}

/**
 * What became of it. `replayed`: its idempotency key led to this before, nothing was done now. `conflict`: the book has
 * changed, read it again. Those with SKUs name the SKUs that stand against it; nothing was changed.
 */
export type EventOutcome =
  | { readonly kind: 'changed'; readonly changed: ChangedEvent }
  | { readonly kind: 'replayed'; readonly changed: ChangedEvent }
  | { readonly kind: 'idempotency_mismatch' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'taken'; readonly skus: readonly string[] }
  | { readonly kind: 'unknown_product'; readonly skus: readonly string[] };

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
} as const;

/** Codec of `lua/change-event.lua`, which takes one event a call. */
export const changeEvent: BatchCommand<EventRequest, EventOutcome> = {
  weigh: () => 1,

  pack([request], epoch, at): LaneCall {
    const { revision, event, action, token = '' } = request!;
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
      case RESULTS.TAKEN:
        return [{ kind: 'taken', skus: named() }];
      case RESULTS.UNKNOWN:
        return [{ kind: 'unknown_product', skus: named() }];
      default:
        return [new InternalFault(`no usable level of ${named().join(', ')}: run bootakhae reconcile`)];
    }
  },
};
