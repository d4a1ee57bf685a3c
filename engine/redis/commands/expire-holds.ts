import { SETTLEMENT_KEYS } from '../keys.ts';
import type { Lane } from '../lane.ts';
import { loadScript } from '../script.ts';

export const expireHoldsScript = loadScript('expire-holds');

/** The keys of `lua/expire-holds.lua` after the lane's. */
export const EXPIRE_HOLDS_KEYS: readonly string[] = SETTLEMENT_KEYS;

export interface ExpireHoldsOptions {
  readonly lane: Lane;
  readonly epoch: () => number;
  readonly nowMs: () => number;
}

/** What a look at the holds came to. */
export interface ExpiredHolds {
  /** How many were ended. */
  readonly ended: number;
  /** Places of the orders whose holds are over and cannot be ended: their record or a level is spoilt. */
  readonly setAside: readonly string[];
}

type Reply = [sequence: number, ended: number, more: number, setAside: string[]];

/**
 * Ends every hold whose time is over, in bounded calls, and gives its units back. Any number of processes may do
 * this at once: each hold is ended by one of them. A hold that cannot be ended stays, and holds up none behind it.
 */
export async function expireHolds({ lane, epoch, nowMs }: ExpireHoldsOptions): Promise<ExpiredHolds> {
  const setAside: string[] = [];
  let total = 0;
  for (let more = 1; more === 1; ) {
    const call = {
      script: expireHoldsScript,
      epoch: epoch(),
      at: nowMs(),
      keys: EXPIRE_HOLDS_KEYS,
      payload: [setAside.length],
    };
    const [, ended, others, bad] = (await lane.call(call)) as Reply;
    total += ended;
    setAside.push(...bad);
    more = others;
  }
  return { ended: total, setAside };
}
