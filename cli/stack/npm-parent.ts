import { readFileSync } from 'node:fs';
import { identify, type ProcessIdentity } from './process-identity.ts';

/**
 * The npm that started this process as a script of package.json, if one did. It is the parent or, where the shell
 * in between stays, the parent's parent.
 */
export function findNpm(): ProcessIdentity | undefined {
  if (!process.env.npm_lifecycle_event) return undefined;
  const candidates = [process.ppid, parentOf(process.ppid)];
  const npm = candidates.find((pid) => /^(\S*\/)?(npm|npx|node \S*npm)/.test(commandOf(pid)));
  return identify(npm ?? process.ppid);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it ended, or this system has no /proc
  }
}
