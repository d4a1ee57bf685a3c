import { type Ground, openGround } from './ground/ground.ts';
import type { GrowthSpec } from './growth/growth-plan.ts';
import { makeGrowthPlan } from './growth/growth-plan.ts';
import type { GrowthReport, GrowthRun } from './growth/growth-result.ts';
import { measureGrowth } from './growth/measure-growth.ts';
import { measureOrderMemory, type OrderMemory, orderKinds } from './growth/order-memory.ts';
import { paceOf, stockFor } from './measure/capacity.ts';
import { measure } from './measure/run.ts';
import type { RunResult } from './measure/run-result.ts';
import type { BenchOptions } from './options.ts';
import { measureOverload } from './overload/measure-overload.ts';
import { type OverloadStep, overloadSteps } from './overload/overload-plan.ts';
import type { OverloadReport, OverloadRun } from './overload/overload-result.ts';
import { judgeOverload } from './overload/verdict.ts';
import { makePlan } from './plan.ts';
import { Progress } from './report/progress.ts';

/** Everything that was measured; `skipped` says in a sentence each what could not be. */
export interface Measured {
  readonly runs: readonly RunResult[];
  readonly skipped: readonly string[];
  readonly growth: GrowthReport | null;
  readonly overload: OverloadReport | null;
}

/** Orders over which the memory of one is measured. */
const ORDERS_KEPT = 100_000;
const QUICK_ORDERS_KEPT = 20_000;

/** Carries out what the options ask for on servers of its own: the comparison, or growth and overload. */
export async function runPlans(options: BenchOptions): Promise<Measured> {
  const ground = await openGround(options.data);
  try {
    const compared = options.growth || options.overload ? NOT_COMPARED : await compare(ground, options);
    const grown = options.growth ? await grow(ground, options) : NOT_GROWN;
    const overload = options.overload ? await overloadAll(ground, options) : null;
    return { ...compared, ...grown, overload, skipped: [...compared.skipped, ...grown.skipped] };
  } finally {
    await ground.close();
  }
}

const NOT_COMPARED = { runs: [], skipped: [] };
const NOT_GROWN = { growth: null, skipped: [] };

async function compare(ground: Ground, options: BenchOptions): Promise<Pick<Measured, 'runs' | 'skipped'>> {
  const plan = makePlan(options);
  const runs: RunResult[] = [];
  const skipped: string[] = [];
  await withProgress(plan.length, async (progress) => {
    for (const spec of plan) {
      progress.begin(`${spec.purpose} ${spec.strategy} ${spec.scenario} ${spec.connections}`);
      const ratePerSecond = paceOf(spec, runs);
      if (ratePerSecond === undefined) {
        skipped.push(`Not run at a fixed rate: the capacity of ${spec.pace!.of} was not measured before.`);
        continue;
      }
      const { warmUpSeconds, seconds, profiles } = options;
      const stock = stockFor(spec, warmUpSeconds + seconds, runs);
      runs.push(await measure(spec, { ground, warmUpSeconds, seconds, ratePerSecond, stock, profiles }));
    }
  });
  return { runs, skipped };
}

async function grow(ground: Ground, options: BenchOptions): Promise<Pick<Measured, 'growth' | 'skipped'>> {
  const axes = options.growth!;
  const plan = makeGrowthPlan({ ...options, axes });
  const kinds = axes.includes('orders') ? orderKinds(options.quick) : [];
  const orders = options.quick ? QUICK_ORDERS_KEPT : ORDERS_KEPT;
  const runs: GrowthRun[] = [];
  const orderMemory: OrderMemory[] = [];
  const skipped = await withProgress(plan.length + kinds.length, async (progress) => [
    ...(await eachOf(plan, async (spec) => {
      progress.begin(describeGrowth(spec));
      runs.push(await measureGrowth(spec, { ground, ...options }));
    })),
    ...(await eachOf(kinds, async (kind) => {
      progress.begin(`memory of an order, ${kind.ordersOfCall} a call`);
      orderMemory.push(await measureOrderMemory(ground, kind, orders));
    })),
  ]);
  return { growth: { runs, orderMemory }, skipped };
}

/** Does the work for each; one that fails does not take the minutes before it along. Resolves to what failed. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<string[]> {
  const failed: string[] = [];
  for (const item of items) {
    await work(item).catch((error: Error) => {
      failed.push(`FAILED ${JSON.stringify(item)}: ${error.message}`);
    });
  }
  return failed;
}

function describeGrowth({ axis, value }: GrowthSpec): string {
  return `growth ${axis} ${value}`;
}

async function overloadAll(ground: Ground, options: BenchOptions): Promise<OverloadReport> {
  const { quick, seconds, warmUpSeconds, profiles } = options;
  const cases = options.overload!;
  const steps = overloadSteps(seconds, quick);
  const byCase: OverloadRun[][] = [];
  await withProgress(cases.length * steps.length, async (progress) => {
    for (const name of cases) {
      const begin = (step: OverloadStep) => progress.begin(`overload ${name} ${describeStep(step)}`);
      byCase.push(await measureOverload(name, { ground, steps, warmUpSeconds, profiles, begin }));
    }
  });
  return { runs: byCase.flat(), verdicts: byCase.flatMap(judgeOverload) };
}

function describeStep({ multiple, connections }: OverloadStep): string {
  return multiple === null ? `capacity at ${connections}` : `${multiple} x`;
}

async function withProgress<Result>(
  total: number,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  const progress = new Progress(total);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
