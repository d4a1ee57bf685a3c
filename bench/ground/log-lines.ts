import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { OwnedProcess } from '../../cli/stack/owned-process.ts';
import { StackError, tailOf } from '../../cli/stack/stack-error.ts';

/** A line that one of our processes logged. */
export interface LogLine {
  readonly msg: string;
  /** RFC 3339. */
  readonly time: string;
  readonly url?: string;
}

const POLL_MS = 20;
const WITHIN_MS = 20_000;

/** Waits for a line with this message in the log of a process. Throws with the log's end when it does not come. */
export async function waitForLine(owned: OwnedProcess, message: string): Promise<LogLine> {
  let ended = false;
  void owned.exited.then(() => {
    ended = true;
  });
  for (const deadline = Date.now() + WITHIN_MS; Date.now() < deadline && !ended; await pause(POLL_MS)) {
    const line = readLines(owned.logFile).find(({ msg }) => msg === message);
    if (line) return line;
  }
  throw new StackError(`${owned.name} did not say "${message}". The end of its log:${tailOf(owned.logFile)}`);
}

function readLines(file: string): LogLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogLine);
}
