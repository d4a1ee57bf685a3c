import { formatPosition } from '../../engine/domain/position.ts';
import { DamagedEntry } from '../../engine/journal/damage.ts';
import { type Entry, type StoredEntry, UnknownFormat } from '../../engine/journal/entry.ts';
import { decodeEntry } from '../../engine/redis/journal-stream.ts';
import { type Changes, foldEntries } from '../fold.ts';

/** What entries that were set aside have done to Redis; those that cannot be read, by their journal ids. */
export interface SetAside {
  readonly changes: Changes;
  readonly entries: readonly Entry[];
  readonly unreadable: readonly string[];
}

/** Folds those of `stored` that can be read, in journal order. */
export function foldReadable(stored: readonly StoredEntry[]): SetAside {
  const entries: Entry[] = [];
  const unreadable: string[] = [];
  for (const each of stored) {
    try {
      entries.push(decodeEntry(each));
    } catch (error) {
      if (!(error instanceof DamagedEntry || error instanceof UnknownFormat)) throw error;
      unreadable.push(formatPosition(each.position));
    }
  }
  return { changes: foldEntries(entries), entries, unreadable };
}
