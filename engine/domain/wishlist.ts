/** A line to set on a wishlist, or to take off it (`quantity` 0). */
export interface WishlistChange {
  readonly user: string;
  readonly sku: string;
  readonly quantity: number;
}

export type WishlistOutcome = 'done' | 'unknown_product' | 'full';
