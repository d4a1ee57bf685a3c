import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU seconds that processes have used, by name. */
export type CpuSeconds = Readonly<Record<string, number>>;

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Fields 14 and 15 of /proc/<pid>/stat, counted after the name in brackets, which may hold blanks. */
const [USER, SYSTEM] = [11, 12];

/** What the processes have used until now; one that cannot be read (no /proc, ended) is left out. */
export function readCpu(pids: Readonly<Record<string, number>>): CpuSeconds {
  const entries = Object.entries(pids).flatMap(([name, pid]) => {
    const seconds = readOne(pid);
    return seconds === null ? [] : [[name, seconds] as const];
  });
  return Object.fromEntries(entries);
}

/** Cores that each process kept busy between two readings `seconds` apart. */
export function coresBusy(before: CpuSeconds, after: CpuSeconds, seconds: number): Record<string, number> {
  const names = Object.keys(after).filter((name) => name in before);
  return Object.fromEntries(names.map((name) => [name, (after[name]! - before[name]!) / seconds]));
}

function readOne(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}
