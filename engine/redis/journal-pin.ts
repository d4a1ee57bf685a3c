import { randomUUID } from 'node:crypto';
import { formatPosition, type Position } from '../domain/position.ts';
import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/** Keeps entries after a position from being trimmed until it is released or its time is over. */
export interface JournalPin {
  /** From now on entries after `position` are kept, until `untilMs`; those before may go. */
  move(position: Position, untilMs: number): Promise<void>;
  release(): Promise<void>;
}

/** Pins the journal for a reader that needs entries MariaDB may have committed meanwhile. `untilMs` since 1970. */
export async function pinJournal(
  redis: RedisClient,
  position: Position,
  untilMs: number,
): Promise<JournalPin> {
  const reader = randomUUID();
  const move = async (to: Position, until: number) => {
    await redis.hset(KEYS.pins, reader, `${formatPosition(to)} ${until}`);
  };
  await move(position, untilMs);
  return {
    move,
    async release() {
      await redis.hdel(KEYS.pins, reader);
    },
  };
}
