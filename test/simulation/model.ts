import type { RequestedLine } from '../../engine/domain/order.ts';

/** A call of `place-orders` as the scripts' door sees it: anything may stand in a line. */
export interface ModelOrder {
  readonly user: string;
  /** null = the wishlist. */
  readonly lines: readonly { readonly sku: string; readonly quantity: unknown }[] | null;
  /** The two parts of an idempotency token: the key, and what is asked under it. */
  readonly token: { readonly scope: string; readonly content: string } | null;
}

/** One adjustment of a call of `adjust-stock`, again as the scripts' door sees it. */
export interface ModelAdjustment {
  readonly sku: string;
  readonly delta: unknown;
  readonly reason: string;
  readonly token: ModelOrder['token'];
}

/** `units`: what is available after it; of a refusal, what there is. */
export interface AdjustmentTold {
  readonly kind: string;
  readonly units: number;
}

/** What a key has led to: the place of an order, or what was available after an adjustment. */
type Kept = { readonly content: string } & (
  | { readonly entry: number; readonly index: number }
  | { readonly available: number }
);

export type ModelOutcome =
  | { kind: 'accepted'; lines: RequestedLine[] }
  | { kind: 'replayed'; entry: number; index: number }
  | { kind: 'invalid' | 'empty_wishlist' | 'too_large' | 'mismatch' }
  | { kind: 'unknown_product'; skus: string[] }
  | { kind: 'out_of_stock'; shortages: { sku: string; requested: number; available: number }[] };

const MAX_QUANTITY = 1_000_000;
const MAX_STOCK = 1_000_000_000_000;
const MAX_DELTA = 1_000_000_000_000;

/**
 * What the scripts should do, said in the plainest words there are: maps and loops over single orders, no batches,
 * no packing. It is the measure for P1 and P2, so it shares no code with the engine.
 */
export class Model {
  readonly levels = new Map<string, number>();
  readonly prices = new Map<string, number>();
  readonly details = new Map<string, string>();
  readonly wishlists = new Map<string, RequestedLine[]>();
  readonly keys = new Map<string, Kept>();
  /** The journal: what each accepted call wrote, oldest first. */
  readonly entries: unknown[] = [];

  placeOrders(orders: readonly ModelOrder[]): ModelOutcome[] {
    const accepted: unknown[] = [];
    const outcomes = orders.map((order) => {
      const outcome = this.#replay(order) ?? this.#placeOrder(order);
      if (outcome.kind === 'accepted') {
        const { token, user } = order;
        if (token)
          this.keys.set(token.scope, {
            content: token.content,
            entry: this.entries.length,
            index: accepted.length,
          });
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

  adjustStock(adjustments: readonly ModelAdjustment[]): AdjustmentTold[] {
    const written: unknown[] = [];
    const outcomes = adjustments.map((adjustment) => {
      const outcome = this.#replayAdjustment(adjustment) ?? this.#adjust(adjustment);
      if (outcome.kind !== 'adjusted') return outcome;
      const { sku, delta, reason, token } = adjustment;
      const available = outcome.units;
      if (token) this.keys.set(token.scope, { content: token.content, available });
      written.push({ sku, delta, reason, available, token: token && token.scope + token.content });
      return outcome;
    });
    if (written.length > 0) this.entries.push({ kind: 'adjustments', adjustments: written });
    return outcomes;
  }

  #replayAdjustment({ token }: ModelAdjustment): AdjustmentTold | null {
    const kept = token && this.keys.get(token.scope);
    if (!kept) return null;
    if (kept.content !== token.content || !('available' in kept)) return { kind: 'mismatch', units: 0 };
    return { kind: 'replayed', units: kept.available };
  }

  #adjust({ sku, delta, reason }: ModelAdjustment): AdjustmentTold {
    const whole = Number.isInteger(delta) && Math.abs(Number(delta)) <= MAX_DELTA && Number(delta) !== 0;
    const characters = Array.from(reason).length;
    if (!whole || characters < 1 || characters > 255) return { kind: 'invalid', units: 0 };
    if (!this.prices.has(sku)) return { kind: 'unknown_product', units: 0 };
    const level = this.levels.get(sku)!;
    const units = level + Number(delta);
    if (units < 0) return { kind: 'out_of_stock', units: level };
    if (Number(delta) > 0 && units > MAX_STOCK) return { kind: 'too_many', units: level };
    this.levels.set(sku, units);
    return { kind: 'adjusted', units };
  }

  #replay({ token }: ModelOrder): ModelOutcome | null {
    const kept = token && this.keys.get(token.scope);
    if (!kept) return null;
    if (kept.content !== token.content || !('entry' in kept)) return { kind: 'mismatch' };
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
