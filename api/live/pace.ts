/** How often a turn comes when nothing keeps the process from it. */
export const TURN_MS = 10;

/**
 * How many writes may be made now, if there may be so many a second. A turn that comes late comes to a process that is busy, and
 * those whom it is busy for come first: what was missed is not made up for, and a turn that is twice as late earns half as much.
 */
export class Pace {
  readonly #perSecond: number;
  #allowance = 0;
  #at = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Writes that may be made at `now`, ms of a clock that never goes back. */
  allowance(now: number): number {
    const passedMs = now - this.#at;
    const most = Math.max(1, (this.#perSecond * TURN_MS) / 1_000);
    const earned = passedMs <= TURN_MS ? passedMs / TURN_MS : TURN_MS / passedMs;
    this.#allowance = Math.min(most, this.#allowance + (this.#perSecond * TURN_MS * earned) / 1_000);
    this.#at = now;
    return Math.floor(this.#allowance);
  }

  spend(writes: number): void {
    this.#allowance -= writes;
  }

  /** How long it takes at least, ms, until each of so many was written to once. */
  roundMs(clients: number): number {
    return (clients * 1_000) / this.#perSecond;
  }
}
