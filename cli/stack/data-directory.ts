import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, StackError } from './stack-error.ts';

/** Says that a folder is ours: without it nothing is written to, or removed from, a folder that holds anything. */
const MARKER = 'README.bootakhae';
const MARKER_TEXT =
  'The data of a local BooTakHae stack ("bootakhae up"). Remove the folder to forget it all.\n';

/** What `--fresh` forgets; the lock and the marker stay. */
const FORGETTABLE = ['redis', 'mariadb', 'rabbitmq', 'logs', 'auth-secret', 'stack.json'];

const LARGEST_LOG_BYTES = 10 * 1024 * 1024;

/**
 * Makes the folder of a stack, or recognises one made before.
 *
 * @throws StackError when it is something else: a file, or a folder with other people's things; or may not be used
 */
export function prepareDataDirectory(directory: string): void {
  try {
    claimDirectory(directory);
  } catch (error) {
    if (error instanceof StackError) throw error;
    throw new StackError(`--data ${directory} cannot be used: ${messageOf(error)}; name another folder`);
  }
}

function claimDirectory(directory: string): void {
  if (existsSync(directory) && !statSync(directory).isDirectory()) {
    throw new StackError(`--data ${directory} is a file; name a folder`);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const content = readdirSync(directory);
  if (content.length > 0 && !content.includes(MARKER)) {
    throw new StackError(`--data ${directory} holds other things; name a new or empty folder`);
  }
  writeFileSync(join(directory, MARKER), MARKER_TEXT);
}

/** Removes all that a stack has kept in its folder, and nothing else. Only under the launcher's lock. */
export function forgetData(directory: string): void {
  for (const name of FORGETTABLE) rmSync(join(directory, name), { recursive: true, force: true });
}

/** Sets large logs of earlier runs aside, one generation of each. */
export function rotateLogs(logsDirectory: string): void {
  mkdirSync(logsDirectory, { recursive: true });
  for (const name of readdirSync(logsDirectory).filter((one) => !one.endsWith('.1'))) {
    const file = join(logsDirectory, name);
    if (statSync(file).size > LARGEST_LOG_BYTES) renameSync(file, `${file}.1`);
  }
}
