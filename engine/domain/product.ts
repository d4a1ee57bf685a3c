/** What is shown of a product and decides nothing. Absent text is null, never ''. */
export interface ProductDetails {
  readonly name: string;
  readonly producer: string | null;
  readonly type: string | null;
  readonly function: string | null;
  readonly description: string | null;
}

/** A product to create or change. `price` in minor units; `stock` in units, counts only at creation. */
export interface ProductToPut {
  readonly sku: string;
  readonly price: number;
  readonly stock: number;
  readonly details: ProductDetails;
}

/** A product as it stands; `stock` is what is available now in pool `regular`, in units. */
export interface Product extends ProductToPut {
  /** What the sale event that carries it now makes of it, or null. */
  readonly event: ProductInEvent | null;
}

/** `price` in minor units, `stock` in units available in the event's pool, `endsAt` in ms since 1970. */
export interface ProductInEvent {
  readonly id: string;
  readonly price: number;
  readonly stock: number;
  readonly endsAt: number;
}

export type PutOutcome = 'created' | 'changed' | 'unchanged';

const DETAIL_NAMES = ['name', 'producer', 'type', 'function', 'description'] as const;

/** The details as JSON with its members in one order, so that the same details are the same bytes. */
export function packDetails(details: ProductDetails): string {
  return JSON.stringify(Object.fromEntries(DETAIL_NAMES.map((name) => [name, details[name]])));
}

/** Reads what `packDetails` wrote. */
export function unpackDetails(packed: string): ProductDetails {
  return JSON.parse(packed) as ProductDetails;
}
