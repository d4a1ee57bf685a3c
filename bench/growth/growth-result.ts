import type { LoadResult } from '../load/job.ts';
import type { BookCheck } from '../measure/run-result.ts';
import type { GrowthSpec } from './growth-plan.ts';
import type { OrderMemory } from './order-memory.ts';

/** What one place on an axis cost. Times are microseconds of a core for one accepted order. */
export interface GrowthRun {
  readonly spec: GrowthSpec;
  readonly load: Omit<LoadResult, 'acceptedOf'>;
  /** Cores that each process kept busy in the measured window; the apis are `server`, `server 2`. */
  readonly cores: Readonly<Record<string, number>>;
  readonly linesPerSecond: number;
  readonly apiMicroseconds: number;
  readonly redisMicroseconds: number;
  /** Of that, inside the script. */
  readonly scriptMicroseconds: number;
  readonly ordersOfCall: number;
  readonly memory: GrowthMemory;
  /** Loading the products and the kept orders. */
  readonly fillSeconds: number;
  readonly books: BookCheck;
  /** How long `reconcile` took; null where it was not run: it reads every kept order into memory. */
  readonly reconcileSeconds: number | null;
  readonly invalid: readonly string[];
}

/** Bytes in Redis before the load. */
export interface GrowthMemory {
  readonly usedBytes: number;
  /** Level, price and details. */
  readonly bytesOfProduct: number;
  /** Journal entry's share and idempotency record; null without kept orders. */
  readonly bytesOfKeptOrder: number | null;
}

/** The growth curves. */
export interface GrowthReport {
  readonly runs: readonly GrowthRun[];
  readonly orderMemory: readonly OrderMemory[];
}
