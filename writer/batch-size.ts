const FIRST_ENTRIES = 64;
const QUICK_MS = 250;
const SLOW_MS = 1_000;

/** A batch that was committed. */
export interface CommittedBatch {
  readonly ms: number;
  /** It had as much as it may have: there is more waiting. */
  readonly isFull: boolean;
}

/**
 * How many entries go into one transaction at most: more while full ones commit quickly, fewer when MariaDB is slow or refuses.
 * A transaction that is too small pays for its commit, one that is too large holds locks, memory and other writers.
 */
export class BatchSize {
  readonly #most: number;
  #entries: number;

  constructor(most: number) {
    this.#most = most;
    this.#entries = Math.min(FIRST_ENTRIES, most);
  }

  get entries(): number {
    return this.#entries;
  }

  committed({ ms, isFull }: CommittedBatch): void {
    if (ms > SLOW_MS) this.failed();
    else if (isFull && ms < QUICK_MS) this.#entries = Math.min(this.#most, this.#entries * 2);
  }

  failed(): void {
    this.#entries = Math.max(1, Math.floor(this.#entries / 2));
  }
}
