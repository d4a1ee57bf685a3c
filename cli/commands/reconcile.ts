import { Command, InvalidArgumentError } from 'commander';
import { isReason, MAX_COMPENSATION_REASON_CHARACTERS } from '../../engine/domain/bounds.ts';
import type { FixResult } from '../../writer/reconcile/fix.ts';
import type { Plan } from '../../writer/reconcile/plan.ts';
import type { Reconciliation } from '../../writer/reconcile/reconcile.ts';
import { CommandFailure } from '../failure.ts';
import { COULD_NOT_COMPARE, carryOut, compareOnce, DRIFT, planFor } from '../reconcile/compare.ts';
import { describePlan, describeReconciliation } from '../reconcile/describe.ts';
import { watch } from '../reconcile/watch.ts';
import { dataOption } from './data-option.ts';

interface ReconcileCommandOptions {
  readonly json?: boolean;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly reason: string;
  readonly watch?: true | number;
  readonly data: string;
}

const WATCH_SECONDS = 60;
const LONGEST_WATCH_SECONDS = 86_400;

/** `bootakhae reconcile`: exits with 0 when all agree, 1 on drift, 2 when it could not compare. */
export function reconcileCommand(): Command {
  return (
    new Command('reconcile')
      .description('compare Redis, the journal and MariaDB at one consistent cut')
      .option('--json', 'print the result as JSON')
      .option('--fix', 'say how the levels that drift would be compensated; with --yes, do it')
      .option('--yes', 'with --fix: compensate, and compare again')
      .option(
        '--reason <text>',
        'with --fix: why; kept with each compensation',
        readReason,
        'bootakhae reconcile --fix',
      )
      .option(
        '--watch [seconds]',
        `compare again and again, every ${WATCH_SECONDS} s unless said`,
        readSeconds,
      )
      .addOption(dataOption())
      // A mistyped option compares nothing, and 1 would mean drift.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : COULD_NOT_COMPARE))
      .action(async (options: ReconcileCommandOptions) => {
        process.exitCode = await run(options);
      })
  );
}

async function run(options: ReconcileCommandOptions): Promise<number> {
  const { json = false, data, fix, yes } = options;
  if (options.watch !== undefined && fix)
    throw new CommandFailure('--watch and --fix do not go together', COULD_NOT_COMPARE);
  if (yes && !fix) throw new CommandFailure('--yes says so to --fix', COULD_NOT_COMPARE);
  if (options.watch !== undefined)
    return await watch({ data, json, everySeconds: options.watch === true ? WATCH_SECONDS : options.watch });
  if (fix) return await runFix(options);
  const { reconciliation } = await compareOnce(data);
  console.log(json ? JSON.stringify(reconciliation) : describeReconciliation(reconciliation));
  return exitCodeOf(reconciliation);
}

const exitCodeOf = ({ consistent }: Reconciliation) => (consistent ? 0 : DRIFT);

/** Without `--yes` nothing is done. What was done is compared again, and that decides the exit code. */
async function runFix({ json = false, data, yes, reason }: ReconcileCommandOptions): Promise<number> {
  const compared = await compareOnce(data);
  const plan = planFor(compared, reason);
  if (!yes || plan.compensations.length === 0) {
    const { reconciliation } = compared;
    print(json, { reconciliation, plan, fixed: null });
    return exitCodeOf(reconciliation);
  }
  const fixed = await carryOut(data, plan, compared);
  const { reconciliation } = await compareOnce(data);
  print(json, { reconciliation, plan, fixed });
  return exitCodeOf(reconciliation);
}

interface FixReport {
  readonly reconciliation: Reconciliation;
  readonly plan: Plan;
  readonly fixed: FixResult | null;
}

function print(json: boolean, report: FixReport): void {
  const { reconciliation, plan, fixed } = report;
  if (json) {
    console.log(JSON.stringify({ ...reconciliation, fix: { ...plan, done: fixed } }));
    return;
  }
  const lines = fixed
    ? [describePlan(plan), describeFixed(fixed), `now ${describeReconciliation(reconciliation)}`]
    : [describeReconciliation(reconciliation), describePlan(plan), ...dryRun(plan)];
  console.log(lines.filter((line) => line !== '').join('\n'));
}

function dryRun({ compensations }: Plan): string[] {
  return compensations.length > 0 ? ['nothing was done: with --yes it is'] : [];
}

function describeFixed({ made, entries, refused, isConflict }: FixResult): string {
  const done = `${made.length} compensated${entries.length > 0 ? ` (journal ${entries.join(', ')})` : ''}`;
  const left = refused.map(
    ({ compensation: { sku, pool }, why }) => `refused: SKU ${sku}, pool ${pool}: ${why}`,
  );
  const conflict = isConflict
    ? [
        'somebody else compensated since this comparison began: the rest was left alone; see what is left and run it again',
      ]
    : [];
  return [done, ...left, ...conflict].join('\n');
}

function readReason(text: string): string {
  if (isReason(text) && text.length <= MAX_COMPENSATION_REASON_CHARACTERS) return text;
  throw new InvalidArgumentError(
    `expected 1 to ${MAX_COMPENSATION_REASON_CHARACTERS} characters, no control characters`,
  );
}

function readSeconds(text: string): number {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= LONGEST_WATCH_SECONDS) return seconds;
  throw new InvalidArgumentError(`expected whole seconds, 1 to ${LONGEST_WATCH_SECONDS}`);
}
