/**
 * Breaks each promise on purpose, in a copy of the sources, and checks that a test fails that names the promise:
 * `npm run breakages`. Exits with 1 when a breakage goes unnoticed, or when a tested file fails unbroken.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BREAKAGES } from './breakages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = [
  'engine',
  'lua',
  'writer',
  'api',
  'cli',
  'test',
  'bench',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];

const copy = mkdtempSync(join(tmpdir(), 'bootakhae-breakages-'));
let unnoticed = 0;
try {
  for (const source of SOURCES) cpSync(join(root, source), join(copy, source), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  checkUnbroken();
  for (const breakage of BREAKAGES) tryBreakage(breakage);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(
  `${BREAKAGES.length - unnoticed} of ${BREAKAGES.length} breakages were noticed by a test that names the promise`,
);
process.exit(unnoticed === 0 ? 0 : 1);

/** A test that fails anyway proves nothing. */
function checkUnbroken() {
  const files = [...new Set(BREAKAGES.map(({ test }) => test))];
  const { passed, output } = runTests(files);
  if (!passed) throw new Error(`the tests fail unbroken:\n${output.slice(-4_000)}`);
}

function tryBreakage({ promise, what, file, find, replace, test }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2)
    throw new Error(`"${find}" must stand in ${file} once: mend breakages.mjs`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  const { naming, output } = lookForNotice(promise, test);
  writeFileSync(path, source);
  if (naming.length === 0) unnoticed += 1;
  console.log(`${naming.length > 0 ? 'noticed  ' : 'UNNOTICED'} ${promise} ${what} (${file})`);
  for (const name of naming) console.log(`            by "${name}"`);
  if (naming.length === 0) console.log(output.slice(-2_000));
}

/** The first test that fails is nearly always one that names the promise, and spares the rest; else all are run. */
function lookForNotice(promise, test) {
  for (const bail of [1, 0]) {
    const { failedTests, output } = runTests([test].flat(), bail);
    const naming = failedTests.filter((name) => name.includes(promise));
    if (naming.length > 0 || bail === 0) return { naming, output };
  }
}

function runTests(files, bail = 0) {
  const list = join(copy, 'failed-tests');
  writeFileSync(list, '');
  const words = [
    'vitest',
    'run',
    ...files,
    '--reporter=default',
    '--reporter=./test/breakages/failed-tests-reporter.mjs',
    `--bail=${bail}`,
  ];
  const { status, stdout, stderr } = spawnSync('npx', words, {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, SIMULATION_RUNS: '60', SIMULATION_SHRINK: 'no', FAILED_TESTS: list },
  });
  const failedTests = readFileSync(list, 'utf8').split('\n').filter(Boolean);
  return { passed: status === 0, failedTests, output: stdout + stderr };
}
