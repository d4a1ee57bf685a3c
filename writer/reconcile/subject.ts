import type { RedisClient } from '../../engine/redis/client.ts';
import type { CutReader } from '../../engine/redis/cut-readers.ts';
import type { Drift } from './drift.ts';
import type { JournalFollower } from './journal-follower.ts';
import { compareKey, type Rule } from './rule.ts';

/** One kind of data: where its two sides are read, and how they are compared. */
export interface Subject<Kept, Held> {
  /** For people. */
  readonly name: string;
  readonly rule: Rule<Kept, Held>;
  readonly reader: CutReader<Held>;
  /** All that MariaDB has, in pages, each key once. */
  pages(): AsyncIterable<ReadonlyMap<string, Kept>>;
  /** Which of the keys are in `pages`. */
  known(keys: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface Comparison {
  readonly redis: RedisClient;
  readonly follower: JournalFollower;
  readonly keysOfPage: number;
  readonly found: (drifts: readonly Drift[]) => void;
  /** That many keys more were compared. */
  readonly compared: (keys: number) => void;
}

/**
 * Compares a subject page by page, each at an instant of its own: what MariaDB has; then what is in Redis only; then what is
 * in neither and should be, by the backlog. Because absence is found by asking for the key at a known instant, and not by not meeting it,
 * what comes and goes meanwhile raises no alarm.
 */
export async function compareSubject<Kept, Held>(
  subject: Subject<Kept, Held>,
  comparison: Comparison,
): Promise<void> {
  const { redis, follower, keysOfPage } = comparison;
  for await (const page of subject.pages()) {
    for (const keys of chunks([...page.keys()], keysOfPage))
      await comparePage(subject, comparison, { keys, page });
  }
  for await (const keys of subject.reader.scan(redis, keysOfPage))
    await compareUnknown(subject, comparison, keys);
  const touched = new Set(follower.tallies.flatMap((tally) => [...subject.rule.touched(tally)]));
  await compareUnknown(subject, comparison, [...touched]);
}

async function compareUnknown<Kept, Held>(
  subject: Subject<Kept, Held>,
  comparison: Comparison,
  all: readonly string[],
): Promise<void> {
  for (const keys of chunks(all, comparison.keysOfPage)) {
    const known = await subject.known(keys);
    const unknown = keys.filter((key) => !known.has(key));
    await comparePage(subject, comparison, { keys: unknown, page: new Map() });
  }
}

async function comparePage<Kept, Held>(
  { rule, reader }: Subject<Kept, Held>,
  { redis, follower, found, compared }: Comparison,
  { keys, page }: { keys: readonly string[]; page: ReadonlyMap<string, Kept> },
): Promise<void> {
  if (keys.length === 0) return;
  const { instant, values } = await reader.read(redis, keys);
  await follower.advanceTo(instant);
  for (const key of keys) {
    const sides = { key, kept: page.get(key), redis: values.get(key) };
    found(compareKey(rule, sides, follower.tallies));
  }
  compared(keys.length);
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
