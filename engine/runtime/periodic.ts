import type { Logger } from './logger.ts';

/** Something that is done again and again. */
export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  readonly logger: Logger;
  run(): Promise<unknown>;
}

/**
 * Does a task now and then every so often, never twice at once. A failure is logged and the next time tried again.
 * Returns what stops it, which resolves when a run in hand is over.
 */
export function runPeriodically({ name, everyMs, logger, run }: PeriodicTask): () => Promise<void> {
  let running: Promise<void> | null = null;
  const once = async () => {
    await run().catch((error: Error) => logger.warn({ task: name, error: error.message }, 'task failed'));
    running = null;
  };
  const tick = () => {
    running ??= once();
  };
  tick();
  const timer = setInterval(tick, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
