import { describeExit, type OwnedProcess } from './owned-process.ts';
import { releasePort } from './ports.ts';
import { StackError, tailOf } from './stack-error.ts';

/** How a private server is started. */
export interface ServerOptions {
  /** Its own folder, created when missing; what is there from an earlier run is used again. */
  dataDirectory: string;
  /** Loopback port; a free one when absent. */
  port?: number | undefined;
  /** More command line arguments; they win over the usual ones. */
  args?: string[] | undefined;
  /** Where its output goes; a file in `dataDirectory` when absent. */
  logFile?: string | undefined;
  /** Gives up starting when aborted. */
  signal?: AbortSignal | undefined;
}

/** A private server that answers. */
export interface RunningServer extends OwnedProcess {
  readonly url: string;
  readonly port: number;
}

/** When a starting process counts as up. */
export interface Readiness {
  isReady: () => Promise<boolean>;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const POLL_MS = 50;

/**
 * Waits until a started process is ready; when it does not get there it is stopped.
 *
 * @throws StackError with the last lines of its log when it ends or takes too long, or when the signal is aborted
 */
export async function untilReady(owned: OwnedProcess, readiness: Readiness): Promise<void> {
  let failure: string | undefined;
  owned.exited.then((exit) => {
    failure = `it ended with ${describeExit(exit)}`;
  });
  const deadline = Date.now() + readiness.timeoutMs;
  while (!failure && !(await readiness.isReady())) {
    if (readiness.signal?.aborted) failure = 'it was told to stop';
    else if (Date.now() > deadline) failure = `no answer within ${readiness.timeoutMs / 1000} s`;
    else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  if (!failure) return;
  await owned.stop();
  throw new StackError(
    `${owned.name} did not come up: ${failure}. The end of ${owned.logFile}:${tailOf(owned.logFile)}`,
  );
}

/** A ready process as a server: its port is given back when it is stopped, unless the caller chose it. */
export function asServer(
  owned: OwnedProcess,
  at: { url: string; port: number; keepPort: boolean },
): RunningServer {
  const stop = async () => {
    await owned.stop();
    if (!at.keepPort) releasePort(at.port);
  };
  return { ...owned, url: at.url, port: at.port, stop };
}

/** This process's environment without the variables whose names begin with one of `prefixes`. */
export function environmentWithout(...prefixes: string[]): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !prefixes.some((one) => name.startsWith(one)));
  return Object.fromEntries(kept);
}
