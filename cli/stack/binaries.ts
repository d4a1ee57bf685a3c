import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { StackError } from './stack-error.ts';

interface ServerList {
  searchPath: string[];
  servers: { package: string; binaries: Record<string, string[]> }[];
}

/**
 * Where a server program lies: its usual own places first (on Debian the `rabbitmq-server` on PATH is a wrapper
 * that changes to another user), then PATH, then the sbin folders that an ordinary user's PATH lacks.
 *
 * @throws StackError when it is nowhere, naming the Debian package that brings it
 */
export function findBinary(name: string): string {
  const list = JSON.parse(readFileSync(join(packageRoot, 'cli/stack/servers.json'), 'utf8')) as ServerList;
  const server = list.servers.find((candidate) => name in candidate.binaries);
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...list.searchPath];
  const places = [...(server?.binaries[name] ?? []), ...folders.map((folder) => join(folder, name))];
  const found = places.find(isExecutable);
  if (found) return found;
  throw new StackError(
    `${name} is not installed (Debian, Ubuntu: apt-get install ${server?.package ?? name})`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
