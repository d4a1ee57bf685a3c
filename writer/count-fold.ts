import { countKey } from '../engine/domain/pool.ts';

/** What becomes of the units that customers have of sale events' items: what limits count. */
export interface CountChanges {
  /** Ids of the events that were opened: theirs begin at nothing. */
  readonly begun: ReadonlySet<string>;
  /** Event id -> SKU, NUL, user -> units. */
  readonly deltas: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Folds what orders and their ends do to it. */
export class CountFold implements CountChanges {
  readonly begun = new Set<string>();
  readonly deltas = new Map<string, Map<string, number>>();

  begin(eventId: string): void {
    this.begun.add(eventId);
    this.deltas.delete(eventId);
  }

  add(eventId: string, sku: string, { user, quantity }: { user: string; quantity: number }): void {
    const deltas = this.deltas.get(eventId) ?? new Map<string, number>();
    const key = countKey(sku, user);
    this.deltas.set(eventId, deltas.set(key, (deltas.get(key) ?? 0) + quantity));
  }
}
