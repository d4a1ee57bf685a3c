import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../cli/stack/stack-error.ts';
import { VARIABLES } from '../engine/config/variables.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { renderPage } from './report/page.ts';
import { computeRatios } from './report/ratios.ts';
import { makeRemarks, type Report } from './report/report.ts';
import { renderTerminal } from './report/terminal.ts';
import { runPlans } from './run-plans.ts';

/**
 * How fast: the engine beside other ways to place the same orders, in one go, on one machine.
 *
 * Goals: ratios that hold on another machine; every 201 found in the books after each run; the same HTTP layer,
 * authentication, bodies, load generator and stock for all; what is refused never counted as sold; figures with the
 * machine, the commit and the configuration they belong to.
 *
 * Not goals: the highest absolute number (load generator and servers share the machine); networks, replicas,
 * clusters; reads; durability under power loss, which test/ is about.
 */
const FAILED = 1;

try {
  await main(readOptions(process.argv));
} catch (error) {
  if (!(error instanceof StackError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = FAILED;
}

async function main(options: BenchOptions): Promise<void> {
  const startedAt = new Date().toISOString();
  const commit = describeCommit();
  const machine = describeMachine(options.data);
  const { skipped, ...measured } = await runPlans(options);
  const all = [...measured.runs, ...(measured.growth?.runs ?? []), ...(measured.overload?.runs ?? [])];
  const report: Report = {
    format: 1,
    startedAt,
    commit,
    machine,
    options,
    environment: engineEnvironment(),
    ratios: computeRatios(measured.runs),
    remarks: makeRemarks(all, machine, skipped),
    ...measured,
  };
  process.stdout.write(`${renderTerminal(report)}\n${save(report)}\n`);
  const failed = skipped.some((line) => line.startsWith('FAILED'));
  if (failed || all.some(({ invalid }) => invalid.length > 0)) process.exitCode = FAILED;
}

/** Settings that the engine took from the environment; secrets and addresses are this bench's own. */
function engineEnvironment(): Record<string, string> {
  const own = ['REDIS_URL', 'DATABASE_URL', 'AMQP_URL', 'AUTH_SECRET', 'HOST', 'PORT', 'REDIS_APPENDFSYNC'];
  const names = Object.keys(VARIABLES).filter((name) => !own.includes(name) && process.env[name]);
  return Object.fromEntries(names.map((name) => [name, process.env[name]!]));
}

/** Writes the report beside each other as data and as a page; says where. */
function save(report: Report): string {
  mkdirSync(report.options.results, { recursive: true });
  const name = report.startedAt.replaceAll(':', '-').replace(/\.\d+Z$/, 'Z');
  const file = join(report.options.results, name);
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(`${file}.html`, renderPage(report));
  return `\nwritten: ${file}.json, ${file}.html`;
}
