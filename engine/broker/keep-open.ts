import { setTimeout as pause } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';

const MAX_DELAY_MS = 5_000;
const DELAYS = new ExponentialBackoff({ initialDelay: 100, maxDelay: MAX_DELAY_MS });

/** Something that is to be open and may end at any time. */
export interface Openable {
  /** Ends the keeping; what is open then stays open. */
  readonly signal: AbortSignal;
  /** Opens it, and resolves to a promise of why it ended. Rejects when it cannot be opened. */
  open(): Promise<{ readonly ended: Promise<Error> }>;
  onOpen(): void;
  /** It ended, or could not be opened; it is tried again in a moment. */
  onLost(reason: Error): void;
}

/** Opens it again whenever it ends, with longer and longer pauses as long as it does not last. Resolves when `signal` aborts. */
export async function keepOpen({ signal, open, onOpen, onLost }: Openable): Promise<void> {
  let delay: IBackoff<unknown> | null = null;
  while (!signal.aborted) {
    const begunAt = performance.now();
    const reason = await lifetimeOf(open, onOpen);
    if (signal.aborted) return;
    onLost(reason);
    const hasLasted = performance.now() - begunAt > MAX_DELAY_MS;
    delay = hasLasted || !delay ? DELAYS.next() : delay.next(undefined);
    await pause(delay.duration, undefined, { signal }).catch(() => undefined);
  }
}

async function lifetimeOf(open: Openable['open'], onOpen: () => void): Promise<Error> {
  try {
    const { ended } = await open();
    onOpen();
    return await ended;
  } catch (error) {
    return error as Error;
  }
}
