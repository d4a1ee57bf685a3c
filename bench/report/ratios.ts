import { median } from '../measure/capacity.ts';
import type { RunResult } from '../measure/run-result.ts';
import type { Purpose } from '../plan.ts';
import type { ScenarioName } from '../scenarios.ts';
import type { StrategyName } from '../strategies.ts';

/** A ratio that the project set itself, and what was reached. */
export interface Ratio {
  readonly name: string;
  readonly relation: '>=' | '<=';
  readonly target: number;
  /** One a round, from runs that stood next to each other. */
  readonly perRound: readonly number[];
  /** The median of those; null when it was not measured. */
  readonly reached: number | null;
  readonly met: boolean | null;
}

interface Place {
  readonly purpose?: Purpose;
  readonly scenario?: ScenarioName;
  readonly connections: number;
}

type Figure = (result: RunResult) => number;

const rate: Figure = ({ load }) => load.acceptedPerSecond;
const p99: Figure = ({ load }) => load.accepted.p99;
const SCRIPT: readonly StrategyName[] = ['script-per-order', 'script-per-order-pipelined'];

/** Every ratio that was asked for. Runs that are invalid count for nothing. */
export function computeRatios(all: readonly RunResult[]): Ratio[] {
  const results = new Results(all.filter(({ invalid }) => invalid.length === 0));
  const engineTo = (others: readonly StrategyName[], place: Place) =>
    results.perRound((round) => {
      return results.best(['engine'], place, round, rate) / results.best(others, place, round, rate);
    });
  const atLeast = (name: string, target: number, perRound: number[]) => ratio(name, '>=', target, perRound);
  const atMost = (name: string, target: number, perRound: number[]) => ratio(name, '<=', target, perRound);
  return [
    ...[64, 256].flatMap((connections) => [
      atLeast(`d / c, even, ${connections} connections`, 1.6, engineTo(SCRIPT, { connections })),
      atLeast(`d / e, even, ${connections} connections`, 0.5, engineTo(['ceiling'], { connections })),
    ]),
    atLeast('d / c, even, 1024 connections', 2, engineTo(SCRIPT, { connections: 1_024 })),
    ...[64, 256].flatMap((connections) => [
      atLeast(
        `d / a, hot, ${connections} connections`,
        40,
        engineTo(['select-for-update'], { connections, scenario: 'hot' }),
      ),
      atLeast(
        `d / a, even, ${connections} connections`,
        15,
        engineTo(['select-for-update'], { connections }),
      ),
    ]),
    ...[64, 256].map((connections) =>
      atMost(`p99 d / c, even, ${connections} connections`, 1, results.tails({ connections })),
    ),
    atMost('p99 d / c, each at 70 % of its own capacity', 1, results.pacedTails('engine')),
    atMost('p99 d / c, both at 70 % of c’s capacity', 1, results.pacedTails('script-per-order')),
    ...[64, 256].map((connections) =>
      atLeast(`d always / d everysec, ${connections} connections`, 0.8, results.policies(connections)),
    ),
    atLeast('d sustained / d burst', 0.6, results.sustained()),
    atMost(
      'seconds until the lag is zero',
      5,
      results.each('sustained', ({ lag }) => lag!.secondsUntilZero),
    ),
    atLeast(
      'drain / bulk insert, rows a second',
      0.6,
      results.each('burst', ({ drain }) => drain!.rowsPerSecond / drain!.bulkRowsPerSecond),
    ),
  ];
}

function ratio(name: string, relation: '>=' | '<=', target: number, perRound: number[]): Ratio {
  const known = perRound.filter(Number.isFinite);
  const reached = known.length === 0 ? null : median(known);
  const met = reached === null ? null : relation === '>=' ? reached >= target : reached <= target;
  return { name, relation, target, perRound: known, reached, met };
}

class Results {
  readonly #results: readonly RunResult[];

  constructor(results: readonly RunResult[]) {
    this.#results = results;
  }

  perRound(figure: (round: number) => number): number[] {
    const rounds = [...new Set(this.#results.map(({ spec }) => spec.round))];
    return rounds.map(figure);
  }

  /** The highest figure of these strategies in that round; NaN when there is none. */
  best(strategies: readonly StrategyName[], place: Place, round: number, figure: Figure): number {
    const figures = this.#at(strategies, place, round).map(figure);
    return figures.length === 0 ? Number.NaN : Math.max(...figures);
  }

  /** p99 of the engine to that of the script an order that was faster. */
  tails(place: Place): number[] {
    return this.perRound((round) => {
      const [faster] = [...this.#at(SCRIPT, place, round)].sort((a, b) => rate(b) - rate(a));
      return this.best(['engine'], place, round, p99) / (faster ? p99(faster) : Number.NaN);
    });
  }

  /** The same at a fixed rate, the engine's taken from `of`. */
  pacedTails(of: StrategyName): number[] {
    const paced = (strategy: StrategyName, pace: StrategyName, round: number) =>
      this.#at([strategy], { purpose: 'paced', connections: 64 }, round).find(
        ({ spec }) => spec.pace?.of === pace,
      );
    return this.perRound((round) => {
      const engine = paced('engine', of, round);
      const script = paced('script-per-order', 'script-per-order', round);
      return engine && script ? p99(engine) / p99(script) : Number.NaN;
    });
  }

  policies(connections: number): number[] {
    const place = { purpose: 'policy', connections } as const;
    return this.perRound((round) => {
      return this.best(['engine'], place, round, rate) / this.best(['engine-everysec'], place, round, rate);
    });
  }

  sustained(): number[] {
    const of = (purpose: Purpose, round: number) =>
      this.best(['engine'], { purpose, connections: 64 }, round, rate);
    return this.perRound((round) => of('sustained', round) / of('burst', round));
  }

  each(purpose: Purpose, figure: Figure): number[] {
    return this.#results.filter(({ spec }) => spec.purpose === purpose).map(figure);
  }

  #at(strategies: readonly StrategyName[], place: Place, round: number): RunResult[] {
    const { purpose = 'compare', scenario = 'even', connections } = place;
    return this.#results.filter(({ spec }) => {
      return (
        strategies.includes(spec.strategy) &&
        spec.purpose === purpose &&
        spec.scenario === scenario &&
        spec.connections === connections &&
        spec.round === round
      );
    });
  }
}
