import type { RunSpec } from '../plan.ts';
import { PLENTY_UNITS, type ScenarioName, scarceStock } from '../scenarios.ts';
import { isScript, type StrategyName } from '../strategies.ts';
import type { RunResult } from './run-result.ts';

/** Orders a second where nothing was measured yet; only the stock of `sell-out` hangs on it. */
const GUESS: Readonly<Record<StrategyName, number>> = {
  'select-for-update': 1_000,
  'lock-per-item': 300,
  'script-per-order': 8_000,
  'script-per-order-pipelined': 8_000,
  engine: 14_000,
  'engine-everysec': 15_000,
  ceiling: 25_000,
};

/** The middle of `values`; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Accepted orders a second of the valid comparison runs there were. */
export function ratesOf(
  results: readonly RunResult[],
  at: { strategy: StrategyName; scenario: ScenarioName; connections: number },
): number[] {
  return results
    .filter(({ spec, invalid }) => {
      return (
        spec.purpose === 'compare' &&
        spec.strategy === at.strategy &&
        spec.scenario === at.scenario &&
        spec.connections === at.connections &&
        invalid.length === 0
      );
    })
    .map(({ load }) => load.acceptedPerSecond);
}

/** The rate of a paced run, in orders a second; null for others. Undefined when it cannot be known yet. */
export function paceOf(spec: RunSpec, results: readonly RunResult[]): number | null | undefined {
  if (!spec.pace) return null;
  const { scenario, connections, pace } = spec;
  const names: StrategyName[] = isScript(pace.of)
    ? ['script-per-order', 'script-per-order-pipelined']
    : [pace.of];
  const rates = names
    .map((strategy) => median(ratesOf(results, { strategy, scenario, connections })))
    .filter((rate) => rate > 0);
  return rates.length === 0 ? undefined : Math.round(Math.max(...rates) * pace.share);
}

/** Units of each product for a run of that many seconds. */
export function stockFor(spec: RunSpec, seconds: number, results: readonly RunResult[]): number {
  if (spec.scenario !== 'sell-out') return PLENTY_UNITS;
  const { strategy, connections } = spec;
  const measured = median(ratesOf(results, { strategy, scenario: 'even', connections }));
  return scarceStock((measured > 0 ? measured : GUESS[strategy]) * seconds);
}
