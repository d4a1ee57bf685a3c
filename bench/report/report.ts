import type { GrowthReport } from '../growth/growth-result.ts';
import type { Machine } from '../machine.ts';
import type { RunResult } from '../measure/run-result.ts';
import type { BenchOptions } from '../options.ts';
import type { OverloadReport } from '../overload/overload-result.ts';
import type { Ratio } from './ratios.ts';

/** Everything that was measured; the JSON file holds exactly this. */
export interface Report {
  readonly format: 1;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly options: BenchOptions;
  /** The engine's variables that were set in the environment; the rest had their defaults. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ratios: readonly Ratio[];
  readonly remarks: readonly string[];
  /** The comparison; empty when only growth or overload were asked for. */
  readonly runs: readonly RunResult[];
  readonly growth: GrowthReport | null;
  readonly overload: OverloadReport | null;
}

/** What every run has, whatever it was made for. */
interface AnyRun {
  readonly load: { readonly generatorBusy: number };
  readonly invalid: readonly string[];
}

const BUSY = 0.9;

/** What a reader must know to judge the figures. */
export function makeRemarks(runs: readonly AnyRun[], machine: Machine, skipped: readonly string[]): string[] {
  const saturated = runs.filter(({ load }) => load.generatorBusy > BUSY).length;
  const invalid = runs.filter(({ invalid }) => invalid.length > 0).length;
  return [
    `Load generator, api, Redis and MariaDB share ${machine.cores} cores: what one uses the others lack.`,
    ...(saturated > 0
      ? [
          `In ${saturated} of ${runs.length} runs the load generator kept over ${BUSY * 100} % of a core busy: there it measures itself, and faster strategies look slower than they are.`,
        ]
      : []),
    ...(invalid > 0 ? [`${invalid} runs are INVALID and count for nothing; the table says why.`] : []),
    ...skipped,
  ];
}
