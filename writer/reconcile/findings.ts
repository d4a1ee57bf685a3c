import type { Drift } from './drift.ts';

/**
 * The drifts that were found, each once: a key may be compared again later, and the later look holds. Past `MAX_DRIFTS` they
 * are only counted: where so much is wrong, what is wrong is not in the single keys.
 */
export class Findings {
  readonly #drifts = new Map<string, Drift>();
  #leftOut = 0;

  readonly add = (drifts: readonly Drift[]): void => {
    for (const drift of drifts) {
      const { kind, sku, pool, user, order, entry } = drift;
      const key = JSON.stringify([kind, sku, pool, user, order, entry]);
      if (this.#drifts.size >= MAX_DRIFTS && !this.#drifts.has(key)) this.#leftOut += 1;
      else this.#drifts.set(key, drift);
    }
  };

  get drifts(): Drift[] {
    return [...this.#drifts.values()];
  }

  /** How many were found beyond those in `drifts`. */
  get leftOut(): number {
    return this.#leftOut;
  }
}

const MAX_DRIFTS = 10_000;
