/**
 * The seeded concurrent run at any length: `npm run simulate -- --orders N --seed S --connections C`. Starts servers
 * of its own, prints how far it is and what it found, and exits with 1 on any violation of a promise. It is the test
 * of the same name with other numbers, because tests need no compiling and start servers already.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const OPTIONS = {
  orders: { type: 'string', default: '1000000' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  connections: { type: 'string', default: '128' },
};

const { values } = parseArgs({ options: OPTIONS });
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d{0,9}$/.test(value)) continue;
  console.error(`--${name} is wrong: "${value}" is not a whole number from 1`);
  process.exit(2);
}

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const words = ['run', 'test/simulation/concurrent-run.test.ts', '--disable-console-intercept'];
const { status } = spawnSync(process.execPath, [vitest, ...words], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
  env: {
    ...process.env,
    SIMULATION_ORDERS: values.orders,
    SIMULATION_SEED: values.seed,
    SIMULATION_CONNECTIONS: values.connections,
  },
});
process.exitCode = status === 0 ? 0 : 1;
