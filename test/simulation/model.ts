import type { RequestedLine } from '../../engine/domain/order.ts';

/** A call of `place-orders` as the scripts' door sees it: anything may stand in a line. */
export interface ModelOrder {
  readonly user: string;
  /** null = the wishlist. */
  readonly lines: readonly { readonly sku: string; readonly quantity: unknown }[] | null;
  /** The two parts of an idempotency token: the key, and what is asked under it. */
  readonly token: { readonly scope: string; readonly content: string } | null;
}

export type ModelOutcome =
  | { kind: 'accepted'; lines: RequestedLine[] }
  | { kind: 'replayed'; entry: number; index: number }
  | { kind: 'invalid' | 'empty_wishlist' | 'too_large' | 'mismatch' }
  | { kind: 'unknown_product'; skus: string[] }
  | { kind: 'out_of_stock'; shortages: { sku: string; requested: number; available: number }[] };

const MAX_QUANTITY = 1_000_000;

/**
 * What the scripts should do, said in the plainest words there are: maps and loops over single orders, no batches,
 * no packing. It is the measure for P1 and P2, so it shares no code with the engine.
 */
export class Model {
  readonly levels = new Map<string, number>();
  readonly prices = new Map<string, number>();
  readonly details = new Map<string, string>();
  readonly wishlists = new Map<string, RequestedLine[]>();
  readonly keys = new Map<string, { content: string; entry: number; index: number }>();
  /** The journal: what each accepted call wrote, oldest first. */
  readonly entries: unknown[] = [];

  placeOrders(orders: readonly ModelOrder[]): ModelOutcome[] {
    const accepted: unknown[] = [];
    const outcomes = orders.map((order) => {
      const outcome = this.#replay(order) ?? this.#placeOrder(order);
      if (outcome.kind === 'accepted') {
        const { token, user } = order;
        if (token)
          this.keys.set(token.scope, { ...token, entry: this.entries.length, index: accepted.length });
        accepted.push({
          user,
          lines: outcome.lines,
          fromWishlist: order.lines === null,
          token: token && token.scope + token.content,
        });
      }
      return outcome;
    });
    if (accepted.length > 0) this.entries.push({ kind: 'orders', orders: accepted });
    return outcomes;
  }

  putProducts(products: readonly { sku: string; price: number; stock: number; details: string }[]): string[] {
    const written: unknown[] = [];
    const outcomes = products.map(({ sku, price, stock, details }) => {
      const known = this.prices.has(sku);
      if (known && this.prices.get(sku) === price && this.details.get(sku) === details) return 'unchanged';
      this.prices.set(sku, price);
      this.details.set(sku, details);
      if (!known) this.levels.set(sku, stock);
      written.push({ sku, price, stock: known ? null : stock });
      return known ? 'changed' : 'created';
    });
    if (written.length > 0) this.entries.push({ kind: 'products', products: written });
    return outcomes;
  }

  changeWishlists(changes: readonly { user: string; sku: string; quantity: number }[]): string[] {
    const written: unknown[] = [];
    const outcomes = changes.map((change) => {
      const lines = this.wishlists.get(change.user) ?? [];
      const before = lines.find(({ sku }) => sku === change.sku)?.quantity ?? 0;
      if (change.quantity > 0 && !this.prices.has(change.sku)) return 'unknown_product';
      if (before === change.quantity) return 'done';
      written.push(change);
      this.#setWishlist(change.user, withLine(lines, change));
      return 'done';
    });
    if (written.length > 0) this.entries.push({ kind: 'wishlists', changes: written });
    return outcomes;
  }

  #replay({ token }: ModelOrder): ModelOutcome | null {
    const kept = token && this.keys.get(token.scope);
    if (!kept) return null;
    if (kept.content !== token.content) return { kind: 'mismatch' };
    return { kind: 'replayed', entry: kept.entry, index: kept.index };
  }

  #placeOrder({ user, lines: asked }: ModelOrder): ModelOutcome {
    const lines = asked ?? this.wishlists.get(user) ?? [];
    if (lines.length === 0) return { kind: 'empty_wishlist' };
    if (!areSound(lines)) return { kind: 'invalid' };
    const unknown = lines.filter(({ sku }) => !this.prices.has(sku)).map(({ sku }) => sku);
    if (unknown.length > 0) return { kind: 'unknown_product', skus: unknown };
    const total = lines.reduce(
      (sum, { sku, quantity }) => sum + BigInt(this.prices.get(sku)!) * BigInt(quantity),
      0n,
    );
    if (total > BigInt(Number.MAX_SAFE_INTEGER)) return { kind: 'too_large' };
    const shortages = lines
      .filter(({ sku, quantity }) => this.levels.get(sku)! < quantity)
      .map(({ sku, quantity }) => ({ sku, requested: quantity, available: this.levels.get(sku)! }));
    if (shortages.length > 0) return { kind: 'out_of_stock', shortages };
    for (const { sku, quantity } of lines) this.levels.set(sku, this.levels.get(sku)! - quantity);
    if (asked === null) this.wishlists.delete(user);
    return { kind: 'accepted', lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) };
  }

  #setWishlist(user: string, lines: RequestedLine[]): void {
    if (lines.length > 0) this.wishlists.set(user, lines);
    else this.wishlists.delete(user);
  }
}

function areSound(lines: readonly { sku: string; quantity: unknown }[]): lines is RequestedLine[] {
  const distinct = new Set(lines.map(({ sku }) => sku)).size === lines.length;
  return (
    distinct &&
    lines.every(
      ({ quantity }) =>
        Number.isInteger(quantity) && 1 <= Number(quantity) && Number(quantity) <= MAX_QUANTITY,
    )
  );
}

function withLine(lines: readonly RequestedLine[], { sku, quantity }: RequestedLine): RequestedLine[] {
  if (quantity === 0) return lines.filter((line) => line.sku !== sku);
  if (lines.some((line) => line.sku === sku)) {
    return lines.map((line) => (line.sku === sku ? { sku, quantity } : line));
  }
  return [...lines, { sku, quantity }];
}
