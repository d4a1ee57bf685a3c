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
 * Returns what stops it.
 */
export function runPeriodically({ name, everyMs, logger, run }: PeriodicTask): () => void {
  let busy = false;
  const tick = async () => {
    if (busy) return;
    busy = true;
    await run().catch((error: Error) => logger.warn({ task: name, error: error.message }, 'task failed'));
    busy = false;
  };
  void tick();
  const timer = setInterval(tick, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
