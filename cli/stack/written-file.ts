import { renameSync, writeFileSync } from 'node:fs';

/** Writes a file only its owner can read so that a reader sees the old content or the new, never a part. */
export function writeWhole(file: string, content: string): void {
  const next = `${file}.${process.pid}.next`;
  writeFileSync(next, content, { mode: 0o600 });
  renameSync(next, file);
}
