import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../cli/stack/stack-error.ts';
import { VARIABLES } from '../engine/config/variables.ts';
import { openGround } from './ground/ground.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { paceOf, stockFor } from './measure/capacity.ts';
import { measure } from './measure/run.ts';
import type { RunResult } from './measure/run-result.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { makePlan } from './plan.ts';
import { renderPage } from './report/page.ts';
import { Progress } from './report/progress.ts';
import { computeRatios } from './report/ratios.ts';
import { makeRemarks, type Report } from './report/report.ts';
import { renderTerminal } from './report/terminal.ts';

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
  const machine = describeMachine(options.data);
  const { runs, skipped } = await runPlan(options);
  const report: Report = {
    format: 1,
    startedAt,
    commit: describeCommit(),
    machine,
    options,
    environment: engineEnvironment(),
    ratios: computeRatios(runs),
    remarks: makeRemarks(runs, machine, skipped),
    runs,
  };
  process.stdout.write(`${renderTerminal(report)}\n${save(report)}\n`);
  if (runs.some(({ invalid }) => invalid.length > 0)) process.exitCode = FAILED;
}

async function runPlan(options: BenchOptions): Promise<{ runs: RunResult[]; skipped: string[] }> {
  const plan = makePlan(options);
  const runs: RunResult[] = [];
  const skipped: string[] = [];
  const progress = new Progress(plan.length);
  const ground = await openGround(options.data);
  try {
    for (const spec of plan) {
      progress.begin(spec);
      const ratePerSecond = paceOf(spec, runs);
      if (ratePerSecond === undefined) {
        skipped.push(`Not run at a fixed rate: the capacity of ${spec.pace!.of} was not measured before.`);
        continue;
      }
      const { warmUpSeconds, seconds, profiles } = options;
      const stock = stockFor(spec, warmUpSeconds + seconds, runs);
      runs.push(await measure(spec, { ground, warmUpSeconds, seconds, ratePerSecond, stock, profiles }));
    }
  } finally {
    progress.stop();
    await ground.close();
  }
  return { runs, skipped };
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
