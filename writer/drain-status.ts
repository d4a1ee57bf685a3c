import type { Checkpoint } from '../engine/domain/position.ts';
import type { Histogram } from '../engine/runtime/histogram.ts';

/** What the drain loop is doing: docs/ARCHITECTURE.md, "The writer's modes". */
export const DRAIN_MODES = [
  'STANDBY',
  'STARTING',
  'WAITING',
  'APPLYING',
  'ISOLATING',
  'TRIMMING',
  'BACKING_OFF',
  'STOPPED',
] as const;

export type DrainMode = (typeof DRAIN_MODES)[number];

/** How far MariaDB is behind the journal. */
export interface Lag {
  readonly entries: number;
  /** Age of the oldest entry that is not applied; null where it cannot be told. */
  readonly seconds: number | null;
}

/** The drain loop as it is now, for metrics and for people. */
export interface DrainStatus {
  readonly mode: DrainMode;
  readonly hasLease: boolean;
  /** Null until it is known, and while another writer works. */
  readonly checkpoint: Checkpoint | null;
  /** Looked up about once a second, also while MariaDB is away; null until it is known, and while another writer works. */
  readonly lag: Lag | null;
  /** Entries that one transaction may take in now. */
  readonly batchEntries: number;
  /** How long the last transaction took; null before the first. */
  readonly commitMs: number | null;
  /** Since this writer started, like all that follows. */
  readonly entriesApplied: number;
  readonly rowsApplied: number;
  readonly commits: number;
  /** How long all transactions took. */
  readonly commitTimes: Histogram;
  /** Attempts that failed and are made again. */
  readonly retries: number;
  readonly retriesByReason: ReadonlyMap<string, number>;
  /** Entries that were put into `dead_letters`. */
  readonly setAside: number;
  /** Why it backs off; null while it works. */
  readonly lastError: string | null;
}
