import { InternalFault } from '../domain/fault.ts';
import { formatPosition, ORIGIN, type Position, parsePosition } from '../domain/position.ts';
import { DamagedEntry } from '../journal/damage.ts';
import { type DecodedEntry, type Entry, readEntry, type StoredEntry } from '../journal/entry.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';
import { unpackMessage } from './message-pack.ts';

type RawEntry = [id: Buffer, fields: Buffer[]];

/** Reads the one entry at `position`, or null when it is not in the stream (trimmed, or never written). */
export async function readEntryAt(redis: RedisClient, position: Position): Promise<Entry | null> {
  const id = formatPosition(position);
  const raw = (await redis.xrangeBuffer(KEYS.journal, id, id)) as RawEntry[];
  return raw[0] ? decodeEntry(toStored(raw[0])) : null;
}

/** As `readEntriesAfter`, without a look at what the entries hold: `decodeEntry` reads them. */
export async function readStoredEntriesAfter(
  redis: RedisClient,
  position: Position,
  { count, last }: { count: number; last?: Position },
): Promise<StoredEntry[]> {
  const until = last ? formatPosition(last) : '+';
  const raw = await redis.xrangeBuffer(KEYS.journal, `(${formatPosition(position)}`, until, 'COUNT', count);
  return (raw as RawEntry[]).map(toStored);
}

/** Reads up to `count` entries after `position`, up to and including `last` if given, oldest first. */
export async function readEntriesAfter(
  redis: RedisClient,
  position: Position,
  { count, last }: { count: number; last?: Position },
): Promise<DecodedEntry[]> {
  return (await readStoredEntriesAfter(redis, position, { count, ...(last && { last }) })).map(decodeEntry);
}

/**
 * Waits up to `blockMs` for entries after `position` and takes up to `count` as they stand there. Needs a connection of its own:
 * nothing else is answered on it meanwhile.
 */
export async function awaitEntriesAfter(
  redis: RedisClient,
  position: Position,
  { count, blockMs }: { count: number; blockMs: number },
): Promise<StoredEntry[]> {
  const id = formatPosition(position);
  const reply = await redis.xreadBuffer('COUNT', count, 'BLOCK', blockMs, 'STREAMS', KEYS.journal, id);
  const stream = (reply as unknown as [Buffer, RawEntry[]][] | null)?.[0];
  return (stream?.[1] ?? []).map(toStored);
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

/** Reads what an entry holds. Throws `UnknownFormat` or `DamagedEntry`. */
export function decodeEntry({ position, content }: StoredEntry): DecodedEntry {
  try {
    return Object.assign(readEntry(position, unpackMessage(content)), { content });
  } catch (error) {
    if (error instanceof InternalFault) throw error;
    throw new DamagedEntry(
      `journal entry ${formatPosition(position)} is damaged: ${(error as Error).message}`,
    );
  }
}

function toStored([id, fields]: RawEntry): StoredEntry {
  return { position: parsePosition(id.toString('latin1')), content: fields[1] ?? Buffer.alloc(0) };
}
