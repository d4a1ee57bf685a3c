import { formatPosition, ORIGIN, type Position, parsePosition } from '../domain/position.ts';
import { type Entry, readEntry } from '../journal/entry.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';

type RawEntry = [id: Buffer, fields: Buffer[]];

/** Reads the one entry at `position`, or null when it is not in the stream (trimmed, or never written). */
export async function readEntryAt(redis: RedisClient, position: Position): Promise<Entry | null> {
  const id = formatPosition(position);
  const raw = (await redis.xrangeBuffer(KEYS.journal, id, id)) as RawEntry[];
  return raw[0] ? decode(raw[0]) : null;
}

/** Reads up to `count` entries after `position`, up to and including `last` if given, oldest first. */
export async function readEntriesAfter(
  redis: RedisClient,
  position: Position,
  { count, last }: { count: number; last?: Position },
): Promise<Entry[]> {
  const until = last ? formatPosition(last) : '+';
  const raw = await redis.xrangeBuffer(KEYS.journal, `(${formatPosition(position)}`, until, 'COUNT', count);
  return (raw as RawEntry[]).map(decode);
}

/**
 * Waits up to `blockMs` for entries after `position` and reads up to `count`. Needs a connection of its own:
 * nothing else is answered on it meanwhile.
 */
export async function awaitEntriesAfter(
  redis: RedisClient,
  position: Position,
  { count, blockMs }: { count: number; blockMs: number },
): Promise<Entry[]> {
  const id = formatPosition(position);
  const reply = await redis.xreadBuffer('COUNT', count, 'BLOCK', blockMs, 'STREAMS', KEYS.journal, id);
  const stream = (reply as unknown as [Buffer, RawEntry[]][] | null)?.[0];
  return (stream?.[1] ?? []).map(decode);
}

/** The place of the last entry ever appended, trimmed or not; ORIGIN for a journal that was never written. */
export async function readLastPosition(redis: RedisClient): Promise<Position> {
  if ((await redis.exists(KEYS.journal)) === 0) return ORIGIN;
  const info = (await redis.xinfo('STREAM', KEYS.journal)) as unknown[];
  return parsePosition(String(info[info.indexOf('last-generated-id') + 1]));
}

/** The place of the oldest entry that is in the stream, or null when it is empty. Its content is not read. */
export async function readFirstPosition(redis: RedisClient): Promise<Position | null> {
  const raw = await redis.xrange(KEYS.journal, '-', '+', 'COUNT', 1);
  return raw[0] ? parsePosition(raw[0][0]) : null;
}

/** How many entries stand in the stream: those that MariaDB has not committed, and those that are pinned. */
export async function countEntries(redis: RedisClient): Promise<number> {
  return await redis.xlen(KEYS.journal);
}

function decode([id, fields]: RawEntry): Entry {
  return readEntry(parsePosition(id.toString('latin1')), unpackMessage(fields[1]!));
}
