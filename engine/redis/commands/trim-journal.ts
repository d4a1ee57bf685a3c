import type { Position } from '../../domain/position.ts';
import type { RedisClient } from '../client.ts';
import { KEYS } from '../keys.ts';
import { callScript, loadScript } from '../script.ts';

export const trimJournalScript = loadScript('trim-journal');

/**
 * Drops the journal up to `committed`, but nothing that a reader has pinned. `nowMs` since 1970. Resolves to how
 * many entries were dropped.
 */
export async function trimJournal(redis: RedisClient, committed: Position, nowMs: number): Promise<number> {
  const reply = await callScript(redis, trimJournalScript, {
    keys: [KEYS.journal, KEYS.pins],
    args: [committed.epoch, committed.sequence, nowMs],
  });
  return reply as number;
}
