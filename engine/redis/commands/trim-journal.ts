import { type Position, parsePosition } from '../../domain/position.ts';
import type { RedisClient } from '../client.ts';
import { KEYS } from '../keys.ts';
import { packMessage } from '../message-pack.ts';
import { callScript, loadScript } from '../script.ts';

export const trimJournalScript = loadScript('trim-journal');

/** An order that the entry at `position` settled; its mark goes with the entry. `place` as scripts spell it. */
export interface SettledMark {
  readonly position: Position;
  readonly place: string;
}

export interface TrimOptions {
  /** The last entry that MariaDB has committed. */
  readonly committed: Position;
  /** Orders that committed entries settled and whose marks may be there still. */
  readonly settled: readonly SettledMark[];
  /** Ms since 1970. */
  readonly nowMs: number;
}

/**
 * Drops the journal up to `committed`, but nothing that a reader has pinned, and the marks of the orders that the
 * dropped entries settled. Resolves to how far the journal is trimmed now.
 */
export async function trimJournal(redis: RedisClient, options: TrimOptions): Promise<Position> {
  const { committed, settled, nowMs } = options;
  const marks = settled.flatMap(({ position, place }) => [position.epoch, position.sequence, place]);
  const reply = await callScript(redis, trimJournalScript, {
    keys: [KEYS.journal, KEYS.pins, KEYS.settled, KEYS.forgotten],
    args: [committed.epoch, committed.sequence, nowMs, packMessage(marks)],
  });
  return parsePosition(String(reply));
}
