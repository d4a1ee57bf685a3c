import type { EventRow } from '../../engine/database/statements/upsert-events.ts';
import type { ProductRow } from '../../engine/database/statements/upsert-products.ts';
import { levelField } from '../../engine/domain/pool.ts';
import type { Changes } from '../fold.ts';

/** What became of a wishlist: emptied first, if so, then the last quantity of each line named since; 0 = taken off. */
export interface WishlistTally {
  isEmptied: boolean;
  readonly lines: Map<string, number>;
}

/** Units that compensations in the backlog add to MariaDB's level and to its movements. */
export interface CompensationTally {
  readonly level: number;
  readonly movement: number;
}

export const NO_COMPENSATION: CompensationTally = { level: 0, movement: 0 };

/**
 * What the journal, as far as it was read, changes of what MariaDB's snapshot says: the writer's own fold, page by page
 * summed up, so that it grows with what was touched and not with the entries.
 */
export class Tally {
  /** Orders that were placed. */
  orders = 0;
  /** How often sale events changed. */
  eventChanges = 0;
  /** Level field -> first units of a product that was created. */
  readonly created = new Map<string, number>();
  /** Level field -> units. */
  readonly deltas = new Map<string, number>();
  /** By level field. */
  readonly compensations = new Map<string, CompensationTally>();
  readonly products = new Map<string, ProductRow>();
  readonly wishlists = new Map<string, WishlistTally>();
  /** Id of an order that began or ended to be held -> until when (ms since 1970), null = it is held no more. */
  readonly holds = new Map<string, number | null>();
  readonly events = new Map<string, EventRow>();
  /** Event id -> SKU and user (`countKey`) -> units. */
  readonly counts = new Map<string, Map<string, number>>();

  /** Adds what follows. `isOutOfOrder`: only sums, because a later value may be in MariaDB already. */
  add(changes: Changes, { isOutOfOrder = false } = {}): void {
    this.orders += changes.orders.length;
    this.#addLevels(changes);
    this.#addCounts(changes);
    if (isOutOfOrder) return;
    this.#addHolds(changes);
    for (const product of changes.products) this.products.set(product.sku, product);
    this.#addWishlists(changes);
    this.#addEvents(changes);
  }

  #addLevels({ newLevels, levels, compensations }: Changes): void {
    for (const level of newLevels) this.created.set(levelField(level), level.available);
    for (const { delta, ...level } of levels) {
      const field = levelField(level);
      this.deltas.set(field, (this.deltas.get(field) ?? 0) + delta);
    }
    for (const compensation of compensations) {
      const field = levelField(compensation);
      const { level, movement } = this.compensations.get(field) ?? NO_COMPENSATION;
      this.compensations.set(field, {
        level: level + compensation.levelDelta,
        movement: movement + compensation.movementDelta,
      });
    }
  }

  #addHolds({ orders, statuses }: Changes): void {
    const begun = orders.filter(({ status }) => status === 'held');
    for (const { id, expiresAt } of begun) this.holds.set(id, expiresAt?.getTime() ?? 0);
    // One that began in the backlog is not in the snapshot: nothing is left to be said of it.
    for (const { id } of statuses) {
      if (typeof this.holds.get(id) === 'number') this.holds.delete(id);
      else this.holds.set(id, null);
    }
  }

  #addWishlists({ wishlists }: Changes): void {
    for (const user of wishlists.emptied) this.wishlists.set(user, { isEmptied: true, lines: new Map() });
    for (const { user, sku, quantity } of wishlists.changes) {
      const wishlist = this.wishlists.get(user) ?? { isEmptied: false, lines: new Map<string, number>() };
      wishlist.lines.set(sku, quantity);
      this.wishlists.set(user, wishlist);
    }
  }

  #addEvents({ events }: Changes): void {
    this.eventChanges += events.length;
    for (const { event, opened } of events) {
      this.events.set(event.id, { event, opened: opened ?? this.events.get(event.id)?.opened ?? null });
    }
  }

  #addCounts({ counts }: Changes): void {
    for (const eventId of counts.begun) this.counts.delete(eventId);
    for (const [eventId, deltas] of counts.deltas) {
      const sums = this.counts.get(eventId) ?? new Map<string, number>();
      for (const [key, units] of deltas) sums.set(key, (sums.get(key) ?? 0) + units);
      this.counts.set(eventId, sums);
    }
  }
}
