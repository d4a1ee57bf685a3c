import type { Logger } from './logger.ts';

/** Something that is done again and again. */
export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  readonly logger: Logger;
  run(): Promise<unknown>;
}

/**
 * Does a task now and then every so often, never twice at once. A failure is logged, once as long as it stays the same, and
 * the next time tried again.
 * Returns what stops it, which resolves when a run in hand is over.
 */
export function runPeriodically({ name, everyMs, logger, run }: PeriodicTask): () => Promise<void> {
  let running: Promise<void> | null = null;
  let said = '';
  const tell = (error: Error) => {
    if (error.message !== said) logger.warn({ task: name, error: error.message }, 'task failed');
    said = error.message;
  };
  const once = async () => {
    await run().then(() => {
      said = '';
    }, tell);
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
