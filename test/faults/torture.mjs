/**
 * Faults at random over a sale, for as long as you like: `npm run torture -- --minutes N --seed S [--only NAME,...]
 * [--rounds N] [--report FILE]`. Starts servers of its own, prints a line a round and a table at the end, and exits with 1
 * on any violation of a promise. It is a test, because tests need no compiling and start servers already.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const OPTIONS = {
  minutes: { type: 'string', default: '10' },
  rounds: { type: 'string' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  only: { type: 'string' },
  report: { type: 'string' },
};

const { values } = parseArgs({ options: OPTIONS });
for (const name of ['minutes', 'rounds', 'seed']) {
  if (values[name] === undefined || /^[1-9]\d{0,9}$/.test(values[name])) continue;
  console.error(`--${name} is wrong: "${values[name]}" is not a whole number from 1`);
  process.exit(2);
}
const only = values.only ? ` --only ${values.only}` : '';
console.log(`npm run torture -- --minutes ${values.minutes} --seed ${values.seed}${only}`);

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const words = [vitest, 'run', 'test/faults/torture.test.ts', '--disable-console-intercept', '--silent=false'];
// Mounts in a namespace of its own are gone with the last process in it, however that ends.
const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;
const [command, ...first] = [...(canUnshare ? ['unshare', '--mount'] : []), process.execPath];
const { status } = spawnSync(command, [...first, ...words], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
  env: {
    ...process.env,
    TORTURE_MINUTES: values.minutes,
    TORTURE_ROUNDS: values.rounds ?? '',
    TORTURE_SEED: values.seed,
    TORTURE_ONLY: values.only ?? '',
    TORTURE_REPORT: values.report ? resolve(values.report) : '',
  },
});
process.exitCode = status === 0 ? 0 : 1;
