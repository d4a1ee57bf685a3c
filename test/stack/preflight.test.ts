import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { temporaryFolder } from './temporary.ts';

/** A small checkout of its own: the real preflight, one source, an `npm` that only notes how it was called. */
let folder: ReturnType<typeof temporaryFolder>;
let root: string;

const NPM = `#!/bin/sh
echo "npm $*" >> calls
if [ "$1" = ci ]; then mkdir -p node_modules && touch node_modules/.package-lock.json; fi
if [ "$1" = run ]; then
  sleep 0.2
  [ -e running ] && echo trampled >> calls
  touch running; mkdir -p dist/cli; cp cli/main.ts dist/cli/main.js; touch dist/.tsbuildinfo; rm running
fi
`;

beforeEach(() => {
  folder = temporaryFolder();
  root = join(folder.path, 'checkout');
  mkdirSync(join(root, 'cli/stack'), { recursive: true });
  for (const file of ['cli/preflight.mjs', 'cli/bootakhae.mjs', 'cli/stack/servers.json']) {
    cpSync(join(packageRoot, file), join(root, file));
  }
  write('package.json', '{"type":"module"}');
  write('package-lock.json', '{}');
  write('tsconfig.json', '{}');
  write('cli/main.ts', 'console.log("main", ...process.argv.slice(2));\n');
  program('npm', NPM);
});
afterEach(() => folder.remove());

const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};
const program = (name: string, text: string) => {
  mkdirSync(join(folder.path, 'bin'), { recursive: true });
  writeFileSync(join(folder.path, 'bin', name), text);
  chmodSync(join(folder.path, 'bin', name), 0o755);
};
const environment = () => ({ ...process.env, PATH: `${join(folder.path, 'bin')}:${process.env.PATH}` });
const run = (script: string, ...words: string[]) =>
  spawnSync(process.execPath, [join(root, script), ...words], { env: environment(), encoding: 'utf8' });
const calls = () => {
  const file = join(root, 'calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines;
};
const later = (path: string) => utimesSync(join(root, path), Date.now() / 1000 + 5, Date.now() / 1000 + 5);

describe('packages and compilation', () => {
  test('are done once, and again when something is newer', () => {
    const first = run('cli/bootakhae.mjs', 'status');
    expect(first.stdout).toBe('main status\n');
    expect(first.stderr).toBe('bootakhae: installing npm packages\nbootakhae: compiling\n');
    expect(calls()).toEqual([expect.stringContaining('npm ci'), 'npm run --silent compile']);

    expect(run('cli/bootakhae.mjs', 'up', '--help')).toMatchObject({
      stdout: 'main up --help\n',
      stderr: '',
    });
    expect(calls()).toEqual([]);

    later('cli/main.ts');
    run('cli/preflight.mjs');
    expect(calls()).toEqual(['npm run --silent compile']);

    later('package-lock.json');
    run('cli/preflight.mjs');
    expect(calls()[0]).toContain('npm ci');
  });

  test('where "npm ci" refuses the lock file, the packages are installed nevertheless', () => {
    program(
      'npm',
      NPM.replace('[ "$1" = ci ]', '[ "$1" = install ]').replace(
        'calls\n',
        'calls\n[ "$1" = ci ] && exit 1\n',
      ),
    );
    expect(run('cli/bootakhae.mjs', 'status').stdout).toBe('main status\n');
    expect(calls()).toEqual([
      expect.stringContaining('npm ci'),
      expect.stringContaining('npm install --no-save'),
      'npm run --silent compile',
    ]);
  });

  test('the output of a removed source does not stay', () => {
    write('cli/gone.ts', '');
    run('cli/preflight.mjs');
    write('dist/cli/gone.js', '');
    rmSync(join(root, 'cli/gone.ts'));
    run('cli/preflight.mjs');
    expect(existsSync(join(root, 'dist/cli/gone.js'))).toBe(false);
    expect(existsSync(join(root, 'dist/cli/main.js'))).toBe(true);
  });

  test('two at once do not trample on each other', async () => {
    const one = () =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [join(root, 'cli/preflight.mjs')], { env: environment() });
        child.once('exit', resolve);
      });
    expect(await Promise.all([one(), one(), one()])).toEqual([0, 0, 0]);
    expect(calls()).toEqual([expect.stringContaining('npm ci'), 'npm run --silent compile']);
  });

  test('an installed package without sources compiles nothing', () => {
    rmSync(join(root, 'package-lock.json'));
    write('dist/cli/main.js', 'console.log("compiled");\n');
    rmSync(join(root, 'cli/main.ts'));
    expect(run('cli/bootakhae.mjs', 'status')).toMatchObject({ stdout: 'compiled\n', stderr: '' });
  });

  test('sources that do not compile are one line after the compiler’s own', () => {
    program('npm', '#!/bin/sh\nif [ "$1" = ci ]; then exit 0; fi\necho "cli/main.ts(1,1): error"\nexit 2\n');
    const result = run('cli/preflight.mjs');
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/cli\/main\.ts\(1,1\): error\nbootakhae: the sources do not compile\n$/);
  });

  test('the command can be executed', () => {
    expect(statSync(join(packageRoot, 'cli/bootakhae.mjs')).mode & 0o111).toBe(0o111);
  });
});

describe('server programs', () => {
  const APT = `#!/bin/sh
echo "$DEBIAN_FRONTEND $RUNLEVEL apt-get $*" >> calls
[ -e broken ] && { echo "E: no network"; exit 100; }
case "$*" in *install*) printf '#!/bin/sh\\necho "Stub v=7.4.1"\\n' > ../bin/stub-server; chmod +x ../bin/stub-server;; esac
`;
  beforeEach(() => {
    program('apt-get', APT);
    run('cli/preflight.mjs');
    calls();
    const minimum = { binary: 'stub-server', pattern: 'v=([0-9]+\\.[0-9]+)', version: '7.0' };
    const server = { name: 'stub', environmentVariable: 'STUB_URL', package: 'stub-package', minimum };
    const binaries = { 'stub-server': [] };
    write('cli/stack/servers.json', JSON.stringify({ searchPath: [], servers: [{ ...server, binaries }] }));
  });

  test.runIf(process.getuid?.() === 0)('are installed when missing, said in one line', () => {
    const result = run('cli/preflight.mjs', '--servers');
    expect(result.stderr).toBe('bootakhae: installing stub-package (about half a minute)\n');
    expect(result.status).toBe(0);
    expect(calls()).toEqual([
      'noninteractive 1 apt-get -o DPkg::Lock::Timeout=300 update -q',
      'noninteractive 1 apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends stub-package',
    ]);
    expect(run('cli/preflight.mjs', '--servers').stderr).toBe('');
  });

  test.runIf(process.getuid?.() === 0)('that cannot be installed are named with what to do', () => {
    write('broken', '');
    const result = run('cli/preflight.mjs', '--servers');
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('E: no network');
    expect(result.stderr.trim().split('\n').at(-1)).toMatch(
      /stub-server could not be installed: run "apt-get install stub-package".*STUB_URL.*docker compose up/,
    );
  });

  test('that are too old are named', () => {
    program('stub-server', '#!/bin/sh\necho "Stub v=6.2.1"\n');
    const result = run('cli/preflight.mjs', '--servers');
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/stub-server is version 6\.2, 7\.0 or newer is needed: set STUB_URL/);
  });

  test('are not needed for "up" where its variable is set', () => {
    const words = [join(root, 'cli/bootakhae.mjs'), 'up'];
    const env = { ...environment(), STUB_URL: 'stub://elsewhere' };
    expect(spawnSync(process.execPath, words, { env, encoding: 'utf8' }).stdout).toBe('main up\n');
  });
});
