import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';
import { StackError } from './stack-error.ts';
import {
  endOrphans,
  markOfOurs,
  onWatchChange,
  type WatchedProcess,
  watchdogProcess,
  watchedProcesses,
} from './watchdog.ts';
import { writeWhole } from './written-file.ts';

/** The content of the lock file. */
interface Holder {
  launcher: ProcessIdentity;
  /** It may outlive the launcher by some seconds, ending what the launcher started. */
  watchdog?: ProcessIdentity | undefined;
  /** Everything the launcher started: what the next launcher ends should the watchdog have died too. */
  started: WatchedProcess[];
  /** Environment entry of all of those and of what they started in turn. */
  mark: string;
}

/** Longer than the watchdog's own patience. */
const WATCHDOG_PATIENCE_MS = 60_000;

/**
 * Takes the lock of a data directory. The lock of a dead launcher is taken over once everything that launcher had
 * started is gone: two servers on the same files would destroy them.
 *
 * @param file the lock file
 * @param say told, in a line, why it takes a while
 * @returns how to give it back
 * @throws StackError naming the holder when there is one
 */
export async function takeLauncherLock(file: string, say: (line: string) => void): Promise<() => void> {
  while (!createLock(file)) {
    const holder = readHolder(file);
    if (!holder) continue;
    if (isRunning(holder.launcher)) {
      throw new StackError(
        `a stack with this data directory is running already (process ${holder.launcher.pid}); ` +
          'stop it, or name another directory with --data',
      );
    }
    await outlast(holder, say);
    dropLock(file, holder);
  }
  const stopFollowing = onWatchChange(() => writeWhole(file, contentNow()));
  return () => {
    stopFollowing();
    rmSync(file, { force: true });
  };
}

function contentNow(): string {
  const launcher = identify(process.pid) as ProcessIdentity;
  const watchdog = watchdogProcess();
  const holder: Holder = { launcher, watchdog, started: watchedProcesses(), mark: markOfOurs() };
  return `${JSON.stringify(holder)}\n`;
}

/** A hard link appears with its content or not at all, and never over an existing file. */
function createLock(file: string): boolean {
  const own = `${file}.${process.pid}.own`;
  writeFileSync(own, contentNow(), { mode: 0o600 });
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // given back meanwhile
    throw new StackError(`${file} cannot be read; remove it if no stack runs on this directory`);
  }
}

async function outlast(holder: Holder, say: (line: string) => void): Promise<void> {
  const deadline = Date.now() + WATCHDOG_PATIENCE_MS;
  if (holder.watchdog && isRunning(holder.watchdog))
    say('waiting for the end of the stack that ran here before');
  while (holder.watchdog && isRunning(holder.watchdog) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await endOrphans(holder.started.filter(isRunning), holder.mark);
}

/** Several may find the same dead holder: the one that moves its lock away goes on, a fresh one is put back. */
function dropLock(file: string, dead: Holder): void {
  const moved = `${file}.${process.pid}.dead`;
  try {
    renameSync(file, moved);
  } catch {
    return; // another one was faster
  }
  const found = readHolder(moved);
  if (found && found.mark !== dead.mark) linkSync(moved, file);
  rmSync(moved, { force: true });
}
