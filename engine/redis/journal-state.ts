import { ORIGIN, type Position, parsePosition } from '../domain/position.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** What Redis says of its journal and of itself, all of one instant. */
export interface JournalState {
  /** Which life of which server this is: it changes with a restart, a promotion and a change of role. */
  readonly run: string;
  /** 0 = none was ever set. */
  readonly epoch: number;
  /** The oldest entry that stands in the stream, or null. */
  readonly first: Position | null;
  /** The last entry ever appended, trimmed or not; ORIGIN for a journal that was never written. */
  readonly last: Position;
  /** Keys that are gone though what belongs to them is there: a product has a price and a level. */
  readonly missing: readonly string[];
  /** The epoch that a recovery which is under way, or was broken off, has begun; null = none. */
  readonly recovering: number | null;
  /** The run that was last compared with MariaDB and all witnesses, and found sound; null = none. */
  readonly vetted: string | null;
}

/** Reads it in one transaction. */
export async function readJournalState(redis: RedisClient): Promise<JournalState> {
  const replies = await redis
    .multi()
    .mget(KEYS.epoch, KEYS.recovering, KEYS.vetted)
    .exists(KEYS.journal)
    .xinfo('STREAM', KEYS.journal)
    .xrange(KEYS.journal, '-', '+', 'COUNT', 1)
    .info('server')
    .info('replication')
    .exists(KEYS.prices)
    .exists(KEYS.levels)
    .exec();
  const [keys, exists, info, range, server, replication, prices, levels] = (replies ?? []).map(
    ([, reply]) => reply,
  );
  const [epoch, recovering, vetted] = keys as (string | null)[];
  const isWritten = exists === 1;
  const [entry] = range as [id: string, fields: string[]][];
  return {
    run: runOf(`${server}\n${replication}`),
    epoch: Number(epoch ?? 0),
    first: entry ? parsePosition(entry[0]) : null,
    last: isWritten ? lastOf(info as unknown[]) : ORIGIN,
    missing: [
      ...(prices === 1 && levels === 0 ? ['levels'] : []),
      ...(levels === 1 && prices === 0 ? ['prices'] : []),
    ],
    recovering: recovering == null ? null : Number(recovering),
    vetted: vetted ?? null,
  };
}

/** Notes that this run was found sound: others need not ask all witnesses again. */
export async function markVetted(redis: RedisClient, run: string): Promise<void> {
  await redis.set(KEYS.vetted, run);
}

/**
 * The run id changes with every start, the replication id with every promotion: a replica that was made the master, or a
 * master that was given another's data and made the master again, differs in one of the two.
 */
function runOf(info: string): string {
  const read = (name: string) => new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1] ?? '';
  return `${read('run_id')}/${read('master_replid')}`;
}

function lastOf(info: unknown[]): Position {
  return parsePosition(String(info[info.indexOf('last-generated-id') + 1]));
}
