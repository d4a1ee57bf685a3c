import { setTimeout as pause } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import { NotAccepting, OutcomeUnknown } from '../domain/fault.ts';
import type { Logger } from '../runtime/logger.ts';

const DELAYS = new ExponentialBackoff({ initialDelay: 100, maxDelay: 5_000 });

export interface Patience {
  readonly logger: Logger;
  /** What is waited for, for the log. */
  readonly about: object;
  /** Ends the waiting: what could not be done rejects then. */
  readonly signal: AbortSignal;
}

/**
 * Does what may not be possible now: the gate is closed, a server is away, the outcome could not be learned. Tried again for
 * ever, so `work` must be safe to repeat. Rejects with whatever else it rejects with.
 */
export async function untilPossible<Result>(
  { logger, about, signal }: Patience,
  work: () => Promise<Result>,
): Promise<Result> {
  let delay: IBackoff<unknown> | null = null;
  for (;;) {
    try {
      const result = await work();
      if (delay) logger.info(about, 'possible again');
      return result;
    } catch (error) {
      if (!(error instanceof NotAccepting || error instanceof OutcomeUnknown)) throw error;
      signal.throwIfAborted();
      if (!delay) logger.warn({ ...about, error: error.message }, 'not possible now; trying again, for ever');
    }
    delay = delay ? delay.next(undefined) : DELAYS.next();
    await pause(delay.duration, undefined, { signal });
  }
}
