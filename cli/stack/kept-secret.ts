import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A secret that is made once and kept in a file only its owner can read.
 *
 * @param file where it is kept
 * @param make makes one when the file is not there yet
 */
export function keptSecret(file: string, make: () => string): string {
  const kept = readSecret(file);
  if (kept) return kept;
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, make(), { mode: 0o400, flush: true });
  rmSync(file, { force: true }); // at most an empty one
  linkSync(fresh, file);
  rmSync(fresh);
  return readSecret(file) as string;
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
