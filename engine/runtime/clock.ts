/** The engine's one source of time. Tests give their own. */
export interface Clock {
  /** Wall clock, ms since 1970: for people and for deadlines that outlive the process. May jump. */
  nowMs(): number;
  /** Never goes back, starts anywhere: for measuring and for deadlines within the process. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
