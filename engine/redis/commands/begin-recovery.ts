import type { RedisClient } from '../client.ts';
import { KEYS } from '../keys.ts';
import { callScript, loadScript } from '../script.ts';

export const beginRecoveryScript = loadScript('begin-recovery');

/** The keys of `lua/begin-recovery.lua`. */
export const BEGIN_RECOVERY_KEYS: readonly string[] = [KEYS.epoch, KEYS.recovering];

/**
 * Puts `epoch` in force and fences off every call of an older one. Rejects with `FENCED` when one as new is in force
 * already.
 */
export async function beginRecovery(redis: RedisClient, epoch: number): Promise<void> {
  await callScript(redis, beginRecoveryScript, { keys: BEGIN_RECOVERY_KEYS, args: [epoch] });
}
