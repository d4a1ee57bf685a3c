import type { Drift } from './drift.ts';
import type { Tally } from './tally.ts';

/** What the two say of one key, and what Redis should say; absent where there is nothing. */
export interface Sides<Kept, Held> {
  readonly redis: Held | undefined;
  readonly kept: Kept | undefined;
  readonly expected: Held | undefined;
  readonly tally: Tally;
}

/** How one kind of data is compared, key by key. Pure. */
export interface Rule<Kept, Held> {
  /** The keys that the backlog touched. */
  touched(tally: Tally): Iterable<string>;
  /** What Redis should say, if MariaDB's snapshot says `kept` and the backlog is `tally`. */
  expect(key: string, kept: Kept | undefined, tally: Tally): Held | undefined;
  judge(key: string, sides: Sides<Kept, Held>): Drift[];
}

/**
 * Finds the drifts of one key. Entries that were set aside are not in journal order with the rest, so where one of them sets a
 * value, Redis may rightly have it or a later one: `tallies` are the readings of the journal that are possible, and to agree with one
 * of them is to agree.
 */
export function compareKey<Kept, Held>(
  rule: Rule<Kept, Held>,
  { key, kept, redis }: { key: string; kept: Kept | undefined; redis: Held | undefined },
  tallies: readonly Tally[],
): Drift[] {
  const drifts = tallies.map((tally) =>
    rule.judge(key, { redis, kept, expected: rule.expect(key, kept, tally), tally }),
  );
  return drifts.find((found) => found.length === 0) ?? drifts[0]!;
}
