import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { packageRoot } from '../engine/runtime/package-root.ts';
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
  readonly results: string;
  readonly data: string;
  readonly profiles: string | null;
}

interface Given {
  quick?: boolean;
  seconds?: number;
  rounds?: number;
  only?: StrategyName[];
  scenario?: ScenarioName[];
  connections?: number[];
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
    .option('--rounds <n>', 'how often all is repeated, interleaved (3; quick: 1)', readCount)
    .option('--only <letters>', `strategies, for example d,e; of ${letters.join(', ')}`, readStrategies)
    .option(
      '--scenario <names>',
      `scenarios, of ${SCENARIO_NAMES.join(', ')}; nothing but the comparison`,
      readScenarios,
    )
    .option('--connections <counts>', 'for example 64,256; nothing but the comparison', readConnections)
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
    warmUpSeconds: quick ? 0.5 : 1.5,
    rounds: given.rounds ?? (quick ? 1 : 3),
    strategies: given.only ?? STRATEGIES.map(({ name }) => name),
    scenarios: given.scenario ?? SCENARIO_NAMES,
    connections: given.connections ?? ALL_CONNECTIONS,
    compareOnly: given.scenario !== undefined || given.connections !== undefined,
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

function readScenarios(text: string): ScenarioName[] {
  return text.split(',').map((name) => {
    const found = SCENARIO_NAMES.find((scenario) => scenario === name);
    if (!found) throw new InvalidArgumentError(`"${name}" is no scenario`);
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
