import { comparePositions, formatPosition, type Position, parsePosition } from '../domain/position.ts';
import type { RedisClient } from './client.ts';
import { unpackOffer } from './event-reader.ts';
import { KEYS } from './keys.ts';

const FIELDS_OF_A_STEP = 1_000;

/**
 * Removes what limits counted in events that are closed: nothing reads it any more, since every opening counts under its own
 * place in the journal. Resolves to the number of counts that went. Any number of processes may do this at once.
 *
 * The end of the journal is read before the offers: an event that opens meanwhile opens after it, and is left alone.
 */
export async function sweepCounts(redis: RedisClient): Promise<number> {
  if ((await redis.hlen(KEYS.counts)) === 0) return 0;
  const end = await readEnd(redis);
  const offers = (await redis.callBuffer('HVALS', KEYS.offers)) as Buffer[];
  const open = new Set(offers.map((offer) => formatPosition(unpackOffer(offer).opened)));
  let swept = 0;
  for await (const fields of scan(redis)) {
    const gone = fields.filter((field) => isLeftBehind(field, open, end));
    if (gone.length > 0) swept += await redis.hdel(KEYS.counts, ...gone);
  }
  return swept;
}

/** Where the journal ends; there is one as soon as there is a count. */
async function readEnd(redis: RedisClient): Promise<Position> {
  const info = (await redis.xinfo('STREAM', KEYS.journal)) as unknown[];
  return parsePosition(String(info[info.indexOf('last-generated-id') + 1]));
}

function isLeftBehind(field: string, open: ReadonlySet<string>, end: Position): boolean {
  const opening = field.slice(0, field.indexOf('\0'));
  return !open.has(opening) && comparePositions(parsePosition(opening), end) <= 0;
}

async function* scan(redis: RedisClient): AsyncGenerator<string[]> {
  for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
    const [next, flat] = await redis.hscan(KEYS.counts, cursor, 'COUNT', FIELDS_OF_A_STEP);
    yield flat.filter((_, at) => at % 2 === 0);
    cursor = next;
  }
}
