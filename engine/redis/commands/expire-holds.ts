import { KEYS } from '../keys.ts';
import type { Lane } from '../lane.ts';
import { loadScript } from '../script.ts';

export const expireHoldsScript = loadScript('expire-holds');

/** The keys of `lua/expire-holds.lua` after the lane's. */
export const EXPIRE_HOLDS_KEYS: readonly string[] = [KEYS.levels, KEYS.holds, KEYS.held, KEYS.settled];

export interface ExpireHoldsOptions {
  readonly lane: Lane;
  readonly epoch: () => number;
  readonly nowMs: () => number;
}

/**
 * Ends every hold whose time is over, in bounded calls, and gives its units back. Any number of processes may do
 * this at once: each hold is ended by one of them. Resolves to how many this one ended.
 */
export async function expireHolds({ lane, epoch, nowMs }: ExpireHoldsOptions): Promise<number> {
  let total = 0;
  for (let more = 1; more === 1; ) {
    const call = {
      script: expireHoldsScript,
      epoch: epoch(),
      at: nowMs(),
      keys: EXPIRE_HOLDS_KEYS,
      payload: [],
    };
    const [, ended, others] = (await lane.call(call)) as [number, number, number];
    total += ended;
    more = others;
  }
  return total;
}
