/** The pool that holds whatever no sale event has taken for itself. Every other pool is an event's and has its id. */
export const REGULAR_POOL = 'regular';

/** Units of one SKU in one pool. */
export interface PoolOfSku {
  readonly sku: string;
  readonly pool: string;
}

const SEPARATOR = '\0'; // no SKU and no event id has one

/**
 * Where the units of a SKU in a pool stand in Redis's hash of levels: under the SKU itself for `regular`, under SKU,
 * NUL, event id for an event's pool. The journal names levels the same way.
 */
export function levelField({ sku, pool }: PoolOfSku): string {
  return pool === REGULAR_POOL ? sku : sku + SEPARATOR + pool;
}

/** Reads what `levelField` wrote. */
export function parseLevelField(field: string): PoolOfSku {
  const at = field.indexOf(SEPARATOR);
  if (at === -1) return { sku: field, pool: REGULAR_POOL };
  return { sku: field.slice(0, at), pool: field.slice(at + 1) };
}

/** A SKU and a user as one key: what a limit of a sale event counts by. */
export function countKey(sku: string, user: string): string {
  return sku + SEPARATOR + user;
}

/** The pool that a line of an order drew from: its event's, or `regular`. */
export function poolOf(eventId: string | null): string {
  return eventId ?? REGULAR_POOL;
}

/** The sale event that a pool belongs to, or null for `regular`. */
export function eventOf(pool: string): string | null {
  return pool === REGULAR_POOL ? null : pool;
}
