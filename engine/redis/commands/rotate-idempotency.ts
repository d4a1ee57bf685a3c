import type { RedisClient } from '../client.ts';
import { IDEMPOTENCY_KEYS } from '../keys.ts';
import { callScript, loadScript } from '../script.ts';

export const rotateIdempotencyScript = loadScript('rotate-idempotency');

/** A record lives from 5 to 6 widths: with a quarter of the time to keep, at least 1.25 times as long as promised. */
const WIDTHS_TO_KEEP = 4;

/**
 * Empties the oldest slot of idempotency records when it is time. `keepMs` is how long a record is promised to be
 * kept; the margin makes up for a clock that jumps. `nowMs` since 1970. Resolves to whether it did.
 */
export async function rotateIdempotency(redis: RedisClient, nowMs: number, keepMs: number): Promise<boolean> {
  const width = Math.ceil(keepMs / WIDTHS_TO_KEEP);
  const call = { keys: IDEMPOTENCY_KEYS, args: [nowMs, width] };
  return (await callScript(redis, rotateIdempotencyScript, call)) === 1;
}
