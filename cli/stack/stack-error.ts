import { existsSync, readFileSync } from 'node:fs';

/** Something a person can act upon; its message is printed as it is, without a stack trace. */
export class StackError extends Error {
  override name = 'StackError';
}

/** The last `lines` non-empty lines of a log file, each indented by two blanks; '' when there are none. */
export function tailOf(logFile: string, lines = 12): string {
  if (!existsSync(logFile)) return '';
  const all = readFileSync(logFile, 'utf8').split('\n');
  const last = all.filter((line) => line.trim() !== '').slice(-lines);
  return last.map((line) => `\n  ${line.slice(0, 300)}`).join('');
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
