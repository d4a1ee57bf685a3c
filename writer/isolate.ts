import { isTooLarge } from '../engine/database/refusal.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/** What is done with entries; each is one transaction. */
export interface Hands<Item> {
  apply(entries: readonly Item[]): Promise<void>;
  setAside(entry: Item, refusal: Refusal): Promise<void>;
  /** A batch was refused, and is to be applied in halves. */
  bisecting(entries: readonly Item[]): void;
}

/**
 * Applies entries in order. Where MariaDB refuses what a batch holds, its halves are applied on their own, and so on, until one
 * entry is refused alone: that one is set aside, and all around it are applied. Rejects with any other error, at once;
 * what was applied by then stays.
 */
export async function applyOrIsolate<Item>(entries: readonly Item[], hands: Hands<Item>): Promise<void> {
  const isAlone = entries.length === 1;
  const refusal = await hands.apply(entries).then(
    () => null,
    (error: unknown) => judge(error, isAlone),
  );
  if (refusal === null) return;
  if (isAlone) return hands.setAside(entries[0]!, refusal);
  hands.bisecting(entries);
  const middle = Math.ceil(entries.length / 2);
  await applyOrIsolate(entries.slice(0, middle), hands);
  await applyOrIsolate(entries.slice(middle), hands);
}

function judge(error: unknown, isAlone: boolean): Refusal {
  const refusal = refusalOf(error, isAlone);
  if (refusal) return refusal;
  if (!isAlone && isTooLarge(error)) return { code: null, reason: 'too large for one statement' };
  throw error;
}
