import type { LevelChange } from '../engine/database/statements/change-levels.ts';
import type { WishlistItemChanges } from '../engine/database/statements/change-wishlist-items.ts';
import type { LevelRow } from '../engine/database/statements/insert-levels.ts';
import type { MovementRow } from '../engine/database/statements/insert-movements.ts';
import type { OrderItemRow } from '../engine/database/statements/insert-order-items.ts';
import type { OrderRow } from '../engine/database/statements/insert-orders.ts';
import type { StatusChange } from '../engine/database/statements/update-order-statuses.ts';
import type { EventRow } from '../engine/database/statements/upsert-events.ts';
import type { IdempotencyRow } from '../engine/database/statements/upsert-idempotency-keys.ts';
import type { OccurrenceRow } from '../engine/database/statements/upsert-occurrences.ts';
import type { ProductRow } from '../engine/database/statements/upsert-products.ts';
import { formatAdjustmentOutcome } from '../engine/domain/adjustment.ts';
import { splitToken } from '../engine/domain/idempotency.ts';
import { levelField, type PoolOfSku, parseLevelField, poolOf, REGULAR_POOL } from '../engine/domain/pool.ts';
import { formatPosition } from '../engine/domain/position.ts';
import { formatEventOutcome } from '../engine/domain/sale-event.ts';
import type { Compensation, Entry, JournalAdjustment, JournalProduct } from '../engine/journal/entry.ts';
import type { EventChange } from '../engine/journal/event-change.ts';
import type { JournalOrder } from '../engine/journal/order-entry.ts';
import type { LevelUnits, Settlement } from '../engine/journal/settlement-entry.ts';
import { type CountChanges, CountFold } from './count-fold.ts';
import { EventFold } from './event-fold.ts';
import { WishlistFold } from './wishlist-fold.ts';

/** What a range of the journal does to MariaDB, each row touched once. */
export interface Changes {
  readonly products: readonly ProductRow[];
  readonly newLevels: readonly LevelRow[];
  readonly events: readonly EventRow[];
  /** The history of events: each window's last word. */
  readonly occurrences: readonly OccurrenceRow[];
  /** Levels of event pools that must be there before they change. */
  readonly pools: readonly PoolOfSku[];
  readonly movements: readonly MovementRow[];
  readonly orders: readonly OrderRow[];
  readonly items: readonly OrderItemRow[];
  /** The last status of each order that was settled; comes after `orders`. */
  readonly statuses: readonly StatusChange[];
  readonly idempotencyKeys: readonly IdempotencyRow[];
  /** Summed per SKU and pool, in the order of the keys. */
  readonly levels: readonly LevelChange[];
  readonly wishlists: WishlistItemChanges;
  readonly counts: CountChanges;
  /** What `levels` and `movements` have of compensations, where the two may differ. */
  readonly compensations: readonly Compensation[];
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
  /** By level field. */
  readonly #deltas = new Map<string, number>();
  readonly #wishlists = new WishlistFold();
  readonly #events = new EventFold();
  readonly #pools = new Map<string, PoolOfSku>();
  readonly #counts = new CountFold();
  readonly #compensations: Compensation[] = [];

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
        for (const change of entry.changes) this.#wishlists.change(change);
        break;
      case 'settlements':
        this.#addSettlements(entry, entry.settlements);
        for (const { token, status } of entry.keyed) this.#addToken(token, status, new Date(entry.at));
        break;
      case 'events':
        this.#addEvent(entry, entry.change);
        break;
      case 'compensations':
        entry.compensations.forEach((compensation, line) => {
          this.#addCompensation(entry, compensation, line);
        });
        break;
      case 'adjustments':
        entry.adjustments.forEach((adjustment, line) => {
          this.#addAdjustment(entry, adjustment, line);
        });
        break;
      case 'recovery': // what was rebuilt is what is here already
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
      events: this.#events.events,
      occurrences: this.#events.occurrences,
      pools: [...this.#pools.values()],
      levels: [...this.#deltas].sort(byKey).map(([field, delta]) => ({ ...parseLevelField(field), delta })),
      counts: this.#counts,
      compensations: this.#compensations,
      wishlists: this.#wishlists.changes(),
    };
  }

  #addOrder({ userId, order, fromWishlist, token }: JournalOrder): void {
    const { id, status, total, placedAt, expiresAt } = order;
    const times = {
      placedAt: new Date(placedAt),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    };
    this.#orders.push({ id, userId, status, total, ...times });
    order.items.forEach(({ sku, quantity, unitPrice, eventId }, line) => {
      const level = { sku, pool: poolOf(eventId) };
      this.#items.push({ orderId: id, line, ...level, quantity, unitPrice });
      this.#changeLevel(level, -quantity);
      if (eventId !== null) this.#counts.add(eventId, sku, { user: userId, quantity });
    });
    if (token) this.#addToken(token, id, times.placedAt);
    if (fromWishlist) this.#wishlists.empty(userId);
  }

  #addSettlements(entry: Entry, settlements: readonly Settlement[]): void {
    let line = 0;
    for (const { orderId: id, status, units, strays, countedFor: user, reason } of settlements) {
      this.#statuses.set(id, { id, status, reason });
      for (const { quantity, ...level } of units) {
        this.#changeLevel(level, quantity);
        if (user !== null && level.pool !== REGULAR_POOL)
          this.#counts.add(level.pool, level.sku, { user, quantity: -quantity });
      }
      for (const stray of strays) {
        this.#addStray(entry, stray, line);
        line += 2;
      }
    }
  }

  /** As if the units had gone back to their event's pool and from there to `regular`, where it is closed by now. */
  #addStray(entry: Entry, { sku, pool, quantity }: LevelUnits, line: number): void {
    const movement = { sku, kind: 'stray', reason: null } as const;
    this.#addMovement(entry, line, { ...movement, pool, delta: -quantity });
    this.#addMovement(entry, line + 1, { ...movement, pool: REGULAR_POOL, delta: quantity });
    this.#changeLevel({ sku, pool: REGULAR_POOL }, quantity);
  }

  #addEvent(entry: Entry, change: EventChange): void {
    const { event, action, moves, token } = change;
    this.#events.add(entry, change);
    const moved = moves.map(({ units }) => units);
    if (token) this.#addToken(token, formatEventOutcome({ event, action, moved }), new Date(entry.at));
    if (action !== 'record') this.#addMoves(entry, change);
  }

  #addMoves(entry: Entry, { event, action, moves, reason }: EventChange): void {
    if (action === 'open') this.#counts.begin(event.id);
    const kind = action === 'open' ? 'opening' : action === 'close' ? 'closing' : 'allotment';
    moves.forEach(({ sku, units }, index) => {
      const pool = { sku, pool: event.id };
      const regular = { sku, pool: REGULAR_POOL };
      this.#pools.set(levelField(pool), pool);
      this.#addMovement(entry, 2 * index, { ...pool, delta: units, kind, reason });
      this.#addMovement(entry, 2 * index + 1, { ...regular, delta: -units, kind, reason });
      this.#changeLevel(pool, units);
      this.#changeLevel(regular, -units);
    });
  }

  #addAdjustment(
    entry: Entry,
    { sku, delta, reason, available, token }: JournalAdjustment,
    line: number,
  ): void {
    const level = { sku, pool: REGULAR_POOL };
    this.#addMovement(entry, line, { ...level, delta, kind: 'adjustment', reason });
    this.#changeLevel(level, delta);
    if (token) this.#addToken(token, formatAdjustmentOutcome(available), new Date(entry.at));
  }

  /** The movement stands there also where it moves nothing: it says what Redis was given, and why. */
  #addCompensation(entry: Entry, compensation: Compensation, line: number): void {
    const { sku, pool, redisDelta, levelDelta, movementDelta: delta, reason: why } = compensation;
    const reason = `redis ${signed(redisDelta)}, level ${signed(levelDelta)}: ${why}`;
    this.#addMovement(entry, line, { sku, pool, delta, kind: 'compensation', reason });
    this.#changeLevel({ sku, pool }, levelDelta);
    this.#compensations.push(compensation);
  }

  #addMovement(
    { position, at }: Entry,
    line: number,
    movement: Omit<MovementRow, 'entry' | 'line' | 'movedAt'>,
  ): void {
    const entry = formatPosition(position);
    this.#movements.push({ entry, line, movedAt: new Date(at), ...movement });
  }

  #changeLevel(level: PoolOfSku, delta: number): void {
    const field = levelField(level);
    this.#deltas.set(field, (this.#deltas.get(field) ?? 0) + delta);
  }

  #addToken(token: string, outcome: string, usedAt: Date): void {
    const { scope, content } = splitToken(token);
    this.#idempotencyKeys.set(scope, { scope, content, outcome, usedAt });
  }

  #addProduct(entry: Entry, { sku, price, stock, details }: JournalProduct, line: number): void {
    this.#products.set(sku, { sku, price, ...details });
    if (stock === null) return;
    this.#newLevels.push({ sku, pool: REGULAR_POOL, available: stock });
    this.#addMovement(entry, line, { sku, pool: REGULAR_POOL, delta: stock, kind: 'load', reason: null });
  }
}

function signed(units: number): string {
  return units > 0 ? `+${units}` : String(units);
}

function byKey([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}
