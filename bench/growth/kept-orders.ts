import { MAX_LINES_OF_CALL } from '../../engine/domain/bounds.ts';
import { CONTENT_CHARACTERS, SCOPE_CHARACTERS } from '../../engine/domain/idempotency.ts';
import { type OrderRequest, placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { decideAll, type EngineServers } from '../ground/decide-all.ts';
import { type MadeUpShop, ordersOf } from '../made-up-shop.ts';

/** Orders that are placed without HTTP. */
export interface Keeping {
  readonly shop: MadeUpShop;
  readonly count: number;
  /** Each with an idempotency key of its own. */
  readonly keyed: boolean;
  /** How long they are held unpaid; 0 = they are placed at once. */
  readonly holdMs: number;
  /** Orders in one script call, and so in one journal entry, at most. */
  readonly ordersOfCall: number;
}

/** Small calls are kept in flight together: one fsync serves them all. */
const ORDERS_IN_FLIGHT = 64;
const FEWEST_LANES = 2;

/** Has the engine place these orders through its own batcher and script; rejects unless each is accepted. */
export function keepOrders(servers: EngineServers, keeping: Keeping): Promise<number> {
  const { holdMs, ordersOfCall } = keeping;
  return decideAll(servers, {
    command: placeOrdersWithHold(holdMs),
    items: requestsOf(keeping),
    itemsOfCall: ordersOfCall,
    weightOfCall: MAX_LINES_OF_CALL,
    lanes: Math.max(FEWEST_LANES, Math.floor(ORDERS_IN_FLIGHT / ordersOfCall)),
    isRight: ({ kind }) => kind === 'accepted',
  });
}

function* requestsOf({ shop, count, keyed }: Keeping): Iterable<OrderRequest> {
  let nth = 0;
  for (const { user, lines } of ordersOf(shop, count)) {
    yield { user, lines, token: keyed ? tokenOfNth(nth) : undefined };
    nth += 1;
  }
}

/** As long as a token that is made from a key, and not worth two digests: what it says is nobody's business here. */
function tokenOfNth(nth: number): string {
  return String(nth).padStart(SCOPE_CHARACTERS, 'k') + 'c'.repeat(CONTENT_CHARACTERS);
}
