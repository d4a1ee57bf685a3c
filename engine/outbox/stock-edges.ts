import { parseLevelField } from '../domain/pool.ts';
import type { Entry } from '../journal/entry.ts';
import { levelChangesOf } from './level-changes.ts';
import type { StockFigures } from './outward-message.ts';

/** A level that has fallen to where the world wants to know; `index` of the level among those that its entry changes. */
export interface StockEdge extends StockFigures {
  readonly type: 'stock.low' | 'stock.out';
  readonly index: number;
}

/**
 * The levels as of one entry after another, and where each of them falls over an edge. An entry is one effect: what its orders do
 * to a level is added up first.
 *
 * `stock.out`: from above nothing to nothing. `stock.low`: from above the threshold to it or below, but not to nothing: that is
 * `stock.out` alone. Only a fall is told: a pool that begins low, or empty, has not fallen. Nor has the pool of an event that closes:
 * it is no more, its units are in `regular`.
 */
export class StockEdges {
  readonly #levels: Map<string, number>;
  readonly #threshold: number;

  /** `levels`: units by level field before the first entry; one that is not there is at nothing. `threshold` 0 = none is low. */
  constructor(levels: ReadonlyMap<string, number>, threshold: number) {
    this.#levels = new Map(levels);
    this.#threshold = threshold;
  }

  /** Takes in the next entry. */
  pass(entry: Entry): StockEdge[] {
    const closed = entry.kind === 'events' && entry.change.action === 'close' ? entry.change.event.id : null;
    const edges: StockEdge[] = [];
    let index = 0;
    for (const [field, units] of levelChangesOf(entry)) {
      const before = this.#levels.get(field) ?? 0;
      this.#levels.set(field, before + units);
      const type = this.#edge(before, before + units);
      const level = parseLevelField(field);
      if (type && level.pool !== closed) edges.push({ type, index, ...this.#figures(field), ...level });
      index += 1;
    }
    return edges;
  }

  #edge(before: number, after: number): StockEdge['type'] | null {
    if (before > 0 && after <= 0) return 'stock.out';
    if (before > this.#threshold && after <= this.#threshold && after > 0) return 'stock.low';
    return null;
  }

  #figures(field: string): { available: number; threshold: number } {
    return { available: Math.max(0, this.#levels.get(field)!), threshold: this.#threshold };
  }
}
