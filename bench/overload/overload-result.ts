import type { MemorySample } from '../ground/resident-memory.ts';
import type { LoadResult } from '../load/job.ts';
import type { BookCheck } from '../measure/run-result.ts';
import type { MemoryTrend } from './memory-trend.ts';
import type { OverloadCase } from './overload-cases.ts';

/** One load on an api. */
export interface OverloadRun {
  readonly case: OverloadCase;
  /** Of the capacity; null = as fast as answers come, which is how the capacity was found. */
  readonly multiple: number | null;
  readonly connections: number;
  readonly ratePerSecond: number | null;
  readonly load: Omit<LoadResult, 'acceptedOf'>;
  readonly cores: Readonly<Record<string, number>>;
  /** Resident memory of the api. */
  readonly samples: readonly MemorySample[];
  readonly memory: MemoryTrend | null;
  readonly books: BookCheck;
  readonly invalid: readonly string[];
}

/** Whether P7 held at three times the capacity. */
export interface OverloadVerdict {
  readonly case: OverloadCase;
  /** Accepted orders a second: the most in any run of the case, and at three times the capacity. */
  readonly best: number;
  readonly overloaded: number;
  readonly kept: number;
  readonly offeredOfCapacity: number;
  readonly rateHeld: boolean;
  readonly memoryFlat: boolean | null;
}

export interface OverloadReport {
  readonly runs: readonly OverloadRun[];
  readonly verdicts: readonly OverloadVerdict[];
}
