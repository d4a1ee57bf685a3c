import type { Position } from '../engine/domain/position.ts';
import type { StoredEntry } from '../engine/journal/entry.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { countEntries, readLastPosition, readStoredEntriesAfter } from '../engine/redis/journal-stream.ts';
import { unpackMessage } from '../engine/redis/message-pack.ts';
import type { Lag } from './drain-status.ts';

/** How far the journal is ahead of `checkpoint`, by the engine's clock at `nowMs`. */
export async function readLag(redis: RedisClient, checkpoint: Position, nowMs: number): Promise<Lag> {
  const [next] = await readStoredEntriesAfter(redis, checkpoint, { count: 1 });
  if (!next) return { entries: 0, seconds: 0 };
  const last = await readLastPosition(redis);
  const isOneEpoch = last.epoch === checkpoint.epoch;
  const entries = isOneEpoch ? last.sequence - checkpoint.sequence : await countEntries(redis);
  return { entries, seconds: ageOf(next, nowMs) };
}

/** Also of an entry that this program cannot read, as far as its clock stands where it always stood. */
function ageOf({ content }: StoredEntry, nowMs: number): number | null {
  try {
    const [, , at] = unpackMessage(content) as unknown[];
    return Number.isSafeInteger(at) ? Math.max(0, nowMs - (at as number)) / 1_000 : null;
  } catch {
    return null;
  }
}
