import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { packageRoot } from '../engine/runtime/package-root.ts';
import { AXES, type Axis } from './growth/growth-plan.ts';
import { OVERLOAD_CASES, type OverloadCase } from './overload/overload-cases.ts';
import { SCENARIO_NAMES, type ScenarioName } from './scenarios.ts';
import { STRATEGIES, type StrategyName } from './strategies.ts';

/** What the person who runs the bench wants. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly strategies: readonly StrategyName[];
  readonly scenarios: readonly ScenarioName[];
  readonly connections: readonly number[];
  /** Only the comparison: the question was narrowed by scenario or connections. */
  readonly compareOnly: boolean;
  /** What is to grow; null = no growth curves. With these or the overload, nothing is compared. */
  readonly growth: readonly Axis[] | null;
  /** What is to be scarce under too much load; null = no overload. */
  readonly overload: readonly OverloadCase[] | null;
  readonly results: string;
  readonly data: string;
  readonly profiles: string | null;
}

interface Given {
  quick?: boolean;
  seconds?: number;
  warmUp?: number;
  rounds?: number;
  only?: StrategyName[];
  scenario?: ScenarioName[];
  connections?: number[];
  growth?: Axis[] | true;
  overload?: OverloadCase[] | true;
  results: string;
  data: string;
  profile?: string;
}

const ALL_CONNECTIONS = [1, 64, 256, 1_024];

/** Reads the command line; ends the process with a line of help when it is wrong. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const letters = STRATEGIES.filter(({ name }) => name !== 'engine-everysec').map(({ letter }) => letter);
  const given = new Command('bench')
    .description('compares the engine with other ways to place orders, side by side')
    .option('--quick', 'one round of short runs, for a first look')
    .option('--seconds <n>', 'measured seconds of a run (5; quick: 1)', readSeconds)
    .option('--warm-up <n>', 'seconds of full load before them (5; quick: 0.5)', readSeconds)
    .option('--rounds <n>', 'how often all is repeated, interleaved (3; quick and growth: 1)', readCount)
    .option('--only <letters>', `strategies, for example d,e; of ${letters.join(', ')}`, readStrategies)
    .option(
      '--scenario <names>',
      `scenarios, of ${SCENARIO_NAMES.join(', ')}; nothing but the comparison`,
      readOneOf(SCENARIO_NAMES),
    )
    .option('--connections <counts>', 'for example 64,256; nothing but the comparison', readConnections)
    .option(
      '--growth [axes]',
      `instead, how cost grows with ${AXES.join(', ')} (all, or for example lines,apis)`,
      readOneOf(AXES),
    )
    .option(
      '--overload [cases]',
      `instead, three times what the engine can take, of ${OVERLOAD_CASES.join(', ')} (all, or for example calls)`,
      readOneOf(OVERLOAD_CASES),
    )
    .option('--results <dir>', 'where the report goes', `${packageRoot}/bench/results`)
    .option(
      '--data <dir>',
      'where the servers keep their data meanwhile: the disk that is measured',
      tmpdir(),
    )
    .option('--profile <dir>', 'write a CPU profile of each process that takes orders')
    .parse(argv as string[])
    .opts<Given>();
  return complete(given);
}

function complete(given: Given): BenchOptions {
  const quick = given.quick ?? false;
  return {
    quick,
    seconds: given.seconds ?? (quick ? 1 : 5),
    // V8 compiles what runs hundreds of times a second, as a batch does, only after seconds.
    warmUpSeconds: given.warmUp ?? (quick ? 0.5 : 5),
    rounds: given.rounds ?? (quick || given.growth ? 1 : 3),
    strategies: given.only ?? STRATEGIES.map(({ name }) => name),
    scenarios: given.scenario ?? SCENARIO_NAMES,
    connections: given.connections ?? ALL_CONNECTIONS,
    compareOnly: given.scenario !== undefined || given.connections !== undefined,
    growth: given.growth === true ? AXES : (given.growth ?? null),
    overload: given.overload === true ? OVERLOAD_CASES : (given.overload ?? null),
    results: given.results,
    data: given.data,
    profiles: given.profile ?? null,
  };
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 120) return seconds;
  throw new InvalidArgumentError('expected a number of seconds up to 120');
}

function readCount(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1 to 99');
}

function readStrategies(text: string): StrategyName[] {
  return text.split(',').flatMap((letter) => {
    const found = STRATEGIES.find((strategy) => strategy.letter === letter || strategy.name === letter);
    if (!found) throw new InvalidArgumentError(`"${letter}" is no strategy`);
    return found.name;
  });
}

/** Reads names that are parted by commas, each one of `names`. */
function readOneOf<const Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(',').map((word) => {
      const found = names.find((name) => name === word);
      if (!found) throw new InvalidArgumentError(`"${word}" is none of ${names.join(', ')}`);
      return found;
    });
}

function readConnections(text: string): number[] {
  return text.split(',').map((count) => {
    if (!/^[1-9]\d{0,4}$/.test(count))
      throw new InvalidArgumentError(`"${count}" is no number of connections`);
    return Number(count);
  });
}
