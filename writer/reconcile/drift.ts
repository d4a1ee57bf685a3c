/**
 * One thing that does not agree. `redis` and `database` are what each says, `expected` what it should be,
 * `difference` how far off; null where a side has nothing to say.
 *
 * - `level`: Redis's level is not MariaDB's with the backlog folded in (`difference` = redis - expected).
 * - `negative`: a level below zero.
 * - `ledger`: MariaDB's level is not its movements less its live orders (`difference` = database - expected).
 * - `price`, `wishlist`: the same comparison as `level`, of prices in minor units and of quantities.
 * - `details`: what is shown of a product is not the same; 1 and 0 say whether there is anything at all.
 * - `hold`: an order is held in Redis and not in MariaDB with the backlog folded in (`difference` 1), or the reverse (-1).
 * - `hold_deadline`, `hold_units`: a hold ends at another time (ms since 1970), or would give back other units.
 * - `event`, `offer`: a sale event's record, or what it makes of a SKU while it is open, is not what MariaDB with the
 *   backlog folded in says; 1 and 0 say whether the event is there at all, an offer's figures are prices.
 * - `limit`: what a limit counts for a customer is not their live units of that event.
 * - `order_total`: an order's total is not the sum of its lines, or one of the two is missing.
 * - `journal`: entries between the checkpoint and the cut are missing, or Redis is behind the checkpoint (figures are
 *   sequences); with `entry`, an entry that cannot be read, whose effect is therefore not known.
 * - `dead_letter`: MariaDB refused `entry`, and nobody has replayed or dropped it yet.
 */
export interface Drift {
  readonly sku: string | null;
  readonly pool: string | null;
  readonly kind:
    | 'level'
    | 'negative'
    | 'ledger'
    | 'price'
    | 'details'
    | 'wishlist'
    | 'hold'
    | 'hold_deadline'
    | 'hold_units'
    | 'event'
    | 'offer'
    | 'limit'
    | 'order_total'
    | 'journal'
    | 'dead_letter';
  readonly redis: number | null;
  readonly database: number | null;
  readonly expected: number | null;
  readonly difference: number | null;
  /** Whose wishlist or limit, or which order. */
  readonly user?: string;
  readonly order?: string;
  /** Journal id. */
  readonly entry?: string;
}

/** A drift with what it says; all else is null. */
export function driftOf(over: Partial<Drift> & Pick<Drift, 'kind'>): Drift {
  return { sku: null, pool: null, redis: null, database: null, expected: null, difference: null, ...over };
}

/** How far `a` is past `b`, where both are known. */
export function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}
