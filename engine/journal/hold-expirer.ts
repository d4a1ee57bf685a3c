import { type ExpireHoldsOptions, expireHolds } from '../redis/commands/expire-holds.ts';
import type { Logger } from '../runtime/logger.ts';

export interface HoldExpirerOptions extends ExpireHoldsOptions {
  readonly logger: Logger;
}

/** Ends holds whose time is over, and says once of each that cannot be ended: it is met again at every look. */
export class HoldExpirer {
  readonly #options: HoldExpirerOptions;
  #reported: ReadonlySet<string> = new Set();

  constructor(options: HoldExpirerOptions) {
    this.#options = options;
  }

  /** One look at all that is over; resolves to how many holds were ended. Rejects as `Lane.call` does. */
  async run(): Promise<number> {
    const { ended, setAside } = await expireHolds(this.#options);
    this.#report(setAside);
    return ended;
  }

  /** One that was mended and goes bad again is news. */
  #report(setAside: readonly string[]): void {
    const places = setAside.filter((place) => !this.#reported.has(place));
    this.#reported = new Set(setAside);
    if (places.length === 0) return;
    this.#options.logger.error(
      { places: places.slice(0, MAX_NAMED), count: places.length },
      "holds cannot be ended: Redis's record of them, or a level, is spoilt; run bootakhae reconcile",
    );
  }
}

/** Orders, by their place in the journal, that one line of the log names. */
const MAX_NAMED = 20;
