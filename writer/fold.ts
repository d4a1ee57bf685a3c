import type { LevelChange } from '../engine/database/statements/change-levels.ts';
import type { WishlistItemChanges } from '../engine/database/statements/change-wishlist-items.ts';
import type { LevelRow } from '../engine/database/statements/insert-levels.ts';
import type { MovementRow } from '../engine/database/statements/insert-movements.ts';
import type { OrderItemRow } from '../engine/database/statements/insert-order-items.ts';
import type { OrderRow } from '../engine/database/statements/insert-orders.ts';
import type { StatusChange } from '../engine/database/statements/update-order-statuses.ts';
import type { IdempotencyRow } from '../engine/database/statements/upsert-idempotency-keys.ts';
import type { ProductRow } from '../engine/database/statements/upsert-products.ts';
import { formatAdjustmentOutcome } from '../engine/domain/adjustment.ts';
import { splitToken } from '../engine/domain/idempotency.ts';
import { formatPosition } from '../engine/domain/position.ts';
import { REGULAR_POOL } from '../engine/domain/product.ts';
import type { WishlistChange } from '../engine/domain/wishlist.ts';
import type {
  Entry,
  JournalAdjustment,
  JournalOrder,
  JournalProduct,
  Settlement,
} from '../engine/journal/entry.ts';

/** What a range of the journal does to MariaDB, each row touched once. */
export interface Changes {
  readonly products: readonly ProductRow[];
  readonly newLevels: readonly LevelRow[];
  readonly movements: readonly MovementRow[];
  readonly orders: readonly OrderRow[];
  readonly items: readonly OrderItemRow[];
  /** The last status of each order that was settled; comes after `orders`. */
  readonly statuses: readonly StatusChange[];
  readonly idempotencyKeys: readonly IdempotencyRow[];
  /** Summed per SKU and pool, in the order of the keys. */
  readonly levels: readonly LevelChange[];
  readonly wishlists: WishlistItemChanges;
}

/**
 * Folds entries, in journal order, into what they change. Pure: the same entries give the same changes, and folding
 * two ranges one after the other gives what folding them together gives (P5).
 */
export function foldEntries(entries: readonly Entry[]): Changes {
  const fold = new Fold();
  for (const entry of entries) fold.add(entry);
  return fold.changes();
}

class Fold {
  readonly #products = new Map<string, ProductRow>();
  readonly #newLevels: LevelRow[] = [];
  readonly #movements: MovementRow[] = [];
  readonly #orders: OrderRow[] = [];
  readonly #items: OrderItemRow[] = [];
  readonly #statuses = new Map<string, StatusChange>();
  readonly #idempotencyKeys = new Map<string, IdempotencyRow>();
  /** By SKU: every line draws from pool `regular` as long as there are no sale events. */
  readonly #deltas = new Map<string, number>();
  readonly #wishlists = new Map<string, WishlistFold>();

  add(entry: Entry): void {
    switch (entry.kind) {
      case 'orders':
        for (const order of entry.orders) this.#addOrder(order);
        break;
      case 'products':
        entry.products.forEach((product, line) => {
          this.#addProduct(entry, product, line);
        });
        break;
      case 'wishlists':
        for (const { user, sku, quantity } of entry.changes) this.#wishlist(user).lines.set(sku, quantity);
        break;
      case 'settlements':
        for (const settlement of entry.settlements) this.#addSettlement(settlement);
        break;
      case 'adjustments':
        entry.adjustments.forEach((adjustment, line) => {
          this.#addAdjustment(entry, adjustment, line);
        });
        break;
    }
  }

  changes(): Changes {
    return {
      products: [...this.#products.values()],
      newLevels: this.#newLevels,
      movements: this.#movements,
      orders: this.#orders,
      items: this.#items,
      statuses: [...this.#statuses.values()],
      idempotencyKeys: [...this.#idempotencyKeys.values()],
      levels: [...this.#deltas].sort(byKey).map(([sku, delta]) => ({ sku, pool: REGULAR_POOL, delta })),
      wishlists: this.#wishlistChanges(),
    };
  }

  #addOrder({ userId, order, fromWishlist, token }: JournalOrder): void {
    const { id, status, total, placedAt, expiresAt } = order;
    const times = {
      placedAt: new Date(placedAt),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    };
    this.#orders.push({ id, userId, status, total, ...times });
    order.items.forEach(({ sku, quantity, unitPrice }, line) => {
      this.#items.push({ orderId: id, line, sku, pool: REGULAR_POOL, quantity, unitPrice });
      this.#changeLevel(sku, -quantity);
    });
    if (token) this.#addToken(token, id, times.placedAt);
    if (fromWishlist) this.#wishlists.set(userId, { emptied: true, lines: new Map() });
  }

  #addSettlement({ orderId: id, status, lines }: Settlement): void {
    this.#statuses.set(id, { id, status });
    for (const { sku, quantity } of lines) this.#changeLevel(sku, quantity);
  }

  #addAdjustment(
    entry: Entry,
    { sku, delta, reason, available, token }: JournalAdjustment,
    line: number,
  ): void {
    this.#addMovement(entry, line, { sku, delta, kind: 'adjustment', reason });
    this.#changeLevel(sku, delta);
    if (token) this.#addToken(token, formatAdjustmentOutcome(available), new Date(entry.at));
  }

  #addMovement(
    { position, at }: Entry,
    line: number,
    movement: Pick<MovementRow, 'sku' | 'delta' | 'kind' | 'reason'>,
  ): void {
    const entry = formatPosition(position);
    this.#movements.push({ entry, line, pool: REGULAR_POOL, movedAt: new Date(at), ...movement });
  }

  #changeLevel(sku: string, delta: number): void {
    this.#deltas.set(sku, (this.#deltas.get(sku) ?? 0) + delta);
  }

  #addToken(token: string, outcome: string, usedAt: Date): void {
    const { scope, content } = splitToken(token);
    this.#idempotencyKeys.set(scope, { scope, content, outcome, usedAt });
  }

  #addProduct(entry: Entry, { sku, price, stock, details }: JournalProduct, line: number): void {
    this.#products.set(sku, { sku, price, ...details });
    if (stock === null) return;
    this.#newLevels.push({ sku, pool: REGULAR_POOL, available: stock });
    this.#addMovement(entry, line, { sku, delta: stock, kind: 'load', reason: null });
  }

  #wishlist(user: string): WishlistFold {
    const wishlist = this.#wishlists.get(user) ?? { emptied: false, lines: new Map() };
    this.#wishlists.set(user, wishlist);
    return wishlist;
  }

  #wishlistChanges(): WishlistItemChanges {
    const emptied: string[] = [];
    const changes: WishlistChange[] = [];
    for (const [user, wishlist] of this.#wishlists) {
      if (wishlist.emptied) emptied.push(user);
      for (const [sku, quantity] of wishlist.lines) {
        if (quantity > 0 || !wishlist.emptied) changes.push({ user, sku, quantity });
      }
    }
    return { emptied, changes };
  }
}

/** `emptied` first, then the last quantity of each line named since; 0 = taken off. */
interface WishlistFold {
  readonly emptied: boolean;
  readonly lines: Map<string, number>;
}

function byKey([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}
