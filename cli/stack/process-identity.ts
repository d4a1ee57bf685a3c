import { readFileSync } from 'node:fs';

/**
 * One process for certain: process ids are used again, so the id alone may name a stranger.
 * `startedAt` is in clock ticks since boot (Linux), 0 where the system does not tell.
 */
export interface ProcessIdentity {
  pid: number;
  startedAt: number;
}

/** Who has this process id now; undefined when nobody (a zombie counts as nobody). */
export function identify(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return answersSignals(pid) ? { pid, startedAt: 0 } : undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startedAt: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** Whether exactly that process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
