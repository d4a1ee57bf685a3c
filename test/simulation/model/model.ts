import type { Call } from '../script-arguments.ts';
import { adjustStock, changeWishlists, putProducts } from './catalogue.ts';
import { changeEvent, sweepCounts } from './events.ts';
import { pinJournal, rotateIdempotency, trimJournal } from './journal.ts';
import { placeOrders } from './orders.ts';
import { expireHolds, settleOrders } from './settlements.ts';
import type { ModelState } from './state.ts';

/** What a call is told: the sequence of the entry that it wrote (-1 = none; null = it has no entry), and the rest. */
export interface Told {
  readonly sequence: number | null;
  readonly outcomes: readonly unknown[];
}

/**
 * What the scripts should do, said in the plainest words there are: maps and loops over single orders, no batches, no
 * packing. It is the measure for P1, P2, P4 and P5, so it shares no code with the engine. Changes `state` and gives what
 * the caller is told.
 */
export function ask(state: ModelState, call: Call): Told {
  switch (call.script) {
    case 'place-orders':
      return placeOrders(state, call);
    case 'put-products':
      return putProducts(state, call);
    case 'change-wishlists':
      return changeWishlists(state, call);
    case 'adjust-stock':
      return adjustStock(state, call);
    case 'settle-orders':
      return settleOrders(state, call);
    case 'expire-holds':
      return expireHolds(state, call);
    case 'change-event':
      return changeEvent(state, call);
    case 'sweep-counts':
      return { sequence: null, outcomes: [sweepCounts(state)] };
    case 'trim-journal':
      return { sequence: null, outcomes: [trimJournal(state, call)] };
    case 'rotate-idempotency':
      return { sequence: null, outcomes: [rotateIdempotency(state, call)] };
    case 'pin-journal':
      pinJournal(state, call);
      return { sequence: null, outcomes: [] };
  }
}
