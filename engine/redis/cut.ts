import type { ChainableCommander } from 'ioredis';
import { ORIGIN, type Position, parsePosition } from '../domain/position.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** An instant of Redis: all that the journal up to `position` has made of it, and nothing after. */
export interface Instant {
  readonly epoch: number;
  readonly position: Position;
  /** Journal id of the last compensation, or ''. */
  readonly compensated: string;
  /** Level fields that there are. */
  readonly levels: number;
}

/** A part of Redis at an instant. */
export interface Cut<Value> {
  readonly instant: Instant;
  /** By the key that was asked for; absent where Redis has nothing. */
  readonly values: ReadonlyMap<string, Value>;
}

/** Redis is being rebuilt: what it holds now is not to be judged. */
export class RecoveryUnderWay extends Error {
  override readonly name = 'RecoveryUnderWay';

  constructor() {
    super('a recovery is under way: Redis is being rebuilt from MariaDB; try again when it is done');
  }
}

const HEAD = 6;

/**
 * Reads what `ask` adds to a transaction, and at which place of the journal Redis stood just then. Throws `RecoveryUnderWay`
 * while Redis is being rebuilt. Redis serves nobody else meanwhile, so `ask` is for little at a time.
 */
export async function readAtInstant(
  redis: RedisClient,
  ask: (transaction: ChainableCommander) => void,
): Promise<{ instant: Instant; replies: unknown[] }> {
  const transaction = redis
    .multi()
    .get(KEYS.epoch)
    .exists(KEYS.recovering)
    .get(KEYS.compensated)
    .hlen(KEYS.levels)
    .exists(KEYS.journal)
    .xinfo('STREAM', KEYS.journal);
  ask(transaction);
  const replies = await transaction.exec();
  if (!replies) throw new Error('Redis gave up the transaction that reads it');
  const [epoch, isRecovering, compensated, levels, isThere] = replies.slice(0, HEAD - 1).map(answerOf);
  if (isRecovering === 1) throw new RecoveryUnderWay();
  const instant = {
    epoch: Number(epoch ?? 0),
    // XINFO fails on a journal that was never written.
    position: isThere === 1 ? lastPosition(answerOf(replies[HEAD - 1]!) as unknown[]) : ORIGIN,
    compensated: (compensated as string | null) ?? '',
    levels: levels as number,
  };
  return { instant, replies: replies.slice(HEAD).map(answerOf) };
}

function answerOf([error, value]: [error: Error | null, value: unknown]): unknown {
  if (error && !error.message.includes('no such key')) throw error;
  return value;
}

function lastPosition(info: unknown[]): Position {
  return parsePosition(String(info[info.indexOf('last-generated-id') + 1]));
}

/** The names of all fields of a hash, about `count` at a time; one that is there all along is named at least once. */
export async function* scanFields(redis: RedisClient, hash: string, count: number): AsyncGenerator<string[]> {
  yield* scan((cursor) => redis.callBuffer('HSCAN', hash, cursor, 'COUNT', count));
}

/** The members of a sorted set, as `scanFields`. */
export async function* scanMembers(redis: RedisClient, set: string, count: number): AsyncGenerator<string[]> {
  yield* scan((cursor) => redis.callBuffer('ZSCAN', set, cursor, 'COUNT', count));
}

/** Both answer a cursor and pairs, of which the first is the name. */
async function* scan(next: (cursor: string) => Promise<unknown>): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const [following, pairs] = (await next(cursor)) as [Buffer, Buffer[]];
    yield pairs.filter((_, at) => at % 2 === 0).map(String);
    cursor = String(following);
  } while (cursor !== '0');
}
