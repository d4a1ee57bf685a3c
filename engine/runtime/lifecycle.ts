import { ConfigError } from '../config/environment.ts';

/** A process that has started: `stop` finishes what was taken, closes everything and resolves. */
export interface RunningProcess {
  stop(): Promise<void>;
}

const EXIT_FAILED = 1;

/**
 * Runs one of our processes: starts it, waits for SIGTERM or SIGINT, stops it and exits with 0. A second signal ends
 * it at once with 1. A start that fails ends it with one line on standard error and 1.
 */
export async function runProcess(start: () => Promise<RunningProcess>): Promise<void> {
  const stopAsked = untilSignal();
  try {
    const running = await start();
    await stopAsked;
    await running.stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(EXIT_FAILED);
  }
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(EXIT_FAILED);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** One line for people where we foresaw the error, the whole stack where we did not. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
