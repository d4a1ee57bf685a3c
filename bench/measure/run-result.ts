import type { LoadResult } from '../load/job.ts';
import type { RunSpec } from '../plan.ts';
import type { RedisFigures } from './redis-figures.ts';

/** Whether the books hold exactly what the load generator was told. */
export interface BookCheck {
  readonly consistent: boolean;
  /** Orders that were answered with 201, and those that are kept. */
  readonly ordersAnswered: number;
  readonly ordersKept: number;
  /** Units of accepted orders, and units that are gone from stock. */
  readonly unitsAnswered: number;
  readonly unitsGone: number;
  /** What is wrong, a sentence each, the first few. */
  readonly faults: readonly string[];
}

/** How fast the backlog of a burst went into MariaDB, beside the same rows inserted with nothing else to do. */
export interface DrainResult {
  readonly entries: number;
  readonly rows: number;
  readonly seconds: number;
  readonly entriesPerSecond: number;
  readonly rowsPerSecond: number;
  readonly bulkRowsPerSecond: number;
}

/** How far MariaDB was behind while the writer ran, in journal entries. */
export interface LagResult {
  readonly samples: readonly { readonly at: number; readonly entries: number }[];
  readonly most: number;
  /** The last quarter is no deeper than the second one. */
  readonly bounded: boolean;
  /** From the last answer until MariaDB had everything. */
  readonly secondsUntilZero: number;
}

/** One run and what came of it. */
export interface RunResult {
  readonly spec: RunSpec;
  readonly ratePerSecond: number | null;
  readonly load: LoadResult;
  /** Cores that each process kept busy in the measured window. */
  readonly cores: Readonly<Record<string, number>>;
  readonly redis: RedisFigures;
  readonly books: BookCheck;
  readonly drain: DrainResult | null;
  readonly lag: LagResult | null;
  /** Why the figures must not be used; empty = they may. */
  readonly invalid: readonly string[];
}
