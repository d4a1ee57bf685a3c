import { formatPosition, type Position, parsePosition } from '../../domain/position.ts';
import { packRecovery, type RecoveryFacts } from '../../journal/entry.ts';
import type { RedisClient } from '../client.ts';
import { KEYS } from '../keys.ts';
import { packMessage } from '../message-pack.ts';
import { callScript, loadScript } from '../script.ts';

export const finishRecoveryScript = loadScript('finish-recovery');

/** The keys of `lua/finish-recovery.lua`. */
export const FINISH_RECOVERY_KEYS: readonly string[] = [
  KEYS.epoch,
  KEYS.recovering,
  KEYS.journal,
  KEYS.forgotten,
];

/**
 * Ends the recovery `epoch`: the journal begins anew with an entry of the facts, decided at `at` (ms since 1970).
 * Resolves to the entry's place. Rejects with `FENCED` when another recovery has taken over.
 */
export async function finishRecovery(
  redis: RedisClient,
  { epoch, at, facts }: { epoch: number; at: number; facts: RecoveryFacts },
): Promise<Position> {
  const entry = packMessage(packRecovery(at, facts));
  const args = [epoch, formatPosition(facts.committed), entry];
  const reply = await callScript(redis, finishRecoveryScript, { keys: FINISH_RECOVERY_KEYS, args });
  return parsePosition(String(reply));
}
