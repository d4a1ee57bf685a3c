import type { Ledger } from '../../engine/database/statements/read-ledger.ts';
import type { Cut } from '../../engine/redis/cut.ts';
import type { Changes } from '../fold.ts';

/**
 * One thing that does not agree. `redis` and `database` are what each says, `expected` what it should be,
 * `difference` how far off; null where a side has nothing to say.
 *
 * - `level`: Redis's level is not MariaDB's with the backlog folded in (`difference` = redis - expected).
 * - `negative`: a level below zero.
 * - `ledger`: MariaDB's level is not its movements less its live orders (`difference` = database - expected).
 * - `price`, `wishlist`: the same comparison as `level`, of prices in minor units and of quantities.
 * - `hold`: an order is held in Redis and not in MariaDB with the backlog folded in (`difference` 1), or the reverse (-1).
 * - `event`, `offer`: a sale event's record, or what it makes of a SKU while it is open, is not what MariaDB with the
 *   backlog folded in says; 1 and 0 say whether the event is there at all, an offer's figures are prices.
 * - `limit`: what a limit counts for a customer is not their live units of that event.
 * - `order_total`: an order's total is not the sum of its lines, or one of the two is missing.
 * - `journal`: entries between the checkpoint and the cut are missing, or Redis is behind the checkpoint.
 */
export interface Drift {
  readonly sku: string | null;
  readonly pool: string | null;
  readonly kind:
    | 'level'
    | 'negative'
    | 'ledger'
    | 'price'
    | 'wishlist'
    | 'hold'
    | 'event'
    | 'offer'
    | 'limit'
    | 'order_total'
    | 'journal';
  readonly redis: number | null;
  readonly database: number | null;
  readonly expected: number | null;
  readonly difference: number | null;
  /** Whose wishlist, or which order. */
  readonly user?: string;
  readonly order?: string;
}

/** What is compared: Redis at a cut, MariaDB at a checkpoint, and what the journal did between the two. */
export interface Sides {
  readonly cut: Cut;
  readonly ledger: Ledger;
  readonly backlog: Changes;
}
