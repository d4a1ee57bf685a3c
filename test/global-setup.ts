import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startMariaDB } from '../cli/stack/mariadb.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A private MariaDB that all test files share, each with a database of its own. */
    databaseServerUrl: string;
  }
}

/** Starts what all test files share; the function it returns ends it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'bootakhae-test-'));
  const server = await startMariaDB({ dataDirectory: join(directory, 'mariadb') });
  project.provide('databaseServerUrl', server.url);
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
