import { randomUUID } from 'node:crypto';
import { formatPosition, type Position } from '../domain/position.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** Keeps entries after `position` from being trimmed until it is released or `forMs` have passed. */
export interface JournalPin {
  release(): Promise<void>;
}

/** Pins the journal for a reader that needs entries MariaDB may have committed meanwhile. `nowMs` since 1970. */
export async function pinJournal(
  redis: RedisClient,
  position: Position,
  untilMs: number,
): Promise<JournalPin> {
  const reader = randomUUID();
  await redis.hset(KEYS.pins, reader, `${formatPosition(position)} ${untilMs}`);
  return {
    async release() {
      await redis.hdel(KEYS.pins, reader);
    },
  };
}
