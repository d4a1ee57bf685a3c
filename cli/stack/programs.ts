import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { describeExit, type OwnedProcess, spawnOwned } from './owned-process.ts';
import { messageOf, StackError, tailOf } from './stack-error.ts';
import { marked, STAGE } from './watchdog.ts';

/** The compiled entry of each long-running program. */
const ENTRIES = {
  api: 'api/main.js',
  writer: 'writer/main.js',
  scheduler: 'engine/events/main.js',
} as const;

const COMMAND_LINE = 'cli/main.js';

/** A long-running program of the project. */
export type ProgramName = keyof typeof ENTRIES;

/** With what, and where to, the project's programs run. */
export interface ProgramSurroundings {
  environment: NodeJS.ProcessEnv;
  logsDirectory: string;
  /** The compiled programs; `dist` when absent. */
  programsDirectory?: string | undefined;
  /** Ends what runs to completion when aborted. */
  signal?: AbortSignal | undefined;
}

/** Starts one of the project's programs; resolves when its process runs, ready or not. */
export function startProgram(name: ProgramName, surroundings: ProgramSurroundings): Promise<OwnedProcess> {
  return spawnNode(name, [entryFile(ENTRIES[name], surroundings)], surroundings);
}

/**
 * Runs `bootakhae <words>` to its end; its output goes to a log named after the first word.
 *
 * @throws StackError with the end of that log when it does not end with 0
 */
export async function runCommand(words: string[], surroundings: ProgramSurroundings): Promise<void> {
  const name = words[0] as string;
  const run = await spawnNode(name, [entryFile(COMMAND_LINE, surroundings), ...words], surroundings);
  const stop = () => void run.stop();
  surroundings.signal?.addEventListener('abort', stop);
  const exit = await run.exited;
  surroundings.signal?.removeEventListener('abort', stop);
  if (exit.code === 0) return;
  throw new StackError(
    `"${name}" failed (${describeExit(exit)}). The end of ${run.logFile}:${tailOf(run.logFile)}`,
  );
}

/**
 * A signed token from `bootakhae token`; it is kept out of every log.
 *
 * @param subject the user it names
 * @throws StackError when the command fails
 */
export async function mintToken(
  subject: string,
  role: 'operator' | 'customer',
  surroundings: ProgramSurroundings,
): Promise<string> {
  const words = ['token', '--sub', subject, '--role', role, '--ttl', '30d'];
  try {
    const run = promisify(execFile)(process.execPath, [entryFile(COMMAND_LINE, surroundings), ...words], {
      env: marked(surroundings.environment),
      signal: surroundings.signal,
    });
    return (await run).stdout.trim();
  } catch (error) {
    throw new StackError(`"token" failed: ${messageOf(error)}`);
  }
}

function entryFile(path: string, surroundings: ProgramSurroundings): string {
  const file = join(surroundings.programsDirectory ?? join(packageRoot, 'dist'), path);
  if (existsSync(file)) return file;
  throw new StackError(`${file} is missing: compile with "npm run compile"`);
}

function spawnNode(name: string, args: string[], surroundings: ProgramSurroundings): Promise<OwnedProcess> {
  return spawnOwned({
    name,
    command: process.execPath,
    args,
    env: surroundings.environment,
    logFile: join(surroundings.logsDirectory, `${name}.log`),
    stage: STAGE.program,
  });
}
