import type { Entry, StoredEntry } from '../../engine/journal/entry.ts';
import { decodeEntry } from '../../engine/redis/journal-stream.ts';

/** What an entry holds: as it was read, and as it stands there, so that nothing is hidden where it cannot be. */
export interface ReadableContent {
  readonly entry: Entry | null;
  /** Why it cannot be read, or null. */
  readonly fault: string | null;
  /** The bytes in the journal, MessagePack, in base64. */
  readonly content: string;
}

/** Makes an entry readable, a damaged one as far as that goes. */
export function readableContent(stored: StoredEntry): ReadableContent {
  const content = stored.content.toString('base64');
  try {
    const { content: _, ...entry } = decodeEntry(stored);
    return { entry, fault: null, content };
  } catch (error) {
    return { entry: null, fault: (error as Error).message, content };
  }
}
