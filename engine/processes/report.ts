import type { Position } from '../domain/position.ts';

/** Whether a connection works (`closed`, as of a circuit breaker) or is being tried again with back-off (`open`). */
export type BreakerState = 'closed' | 'open';

/** The servers that a process talks to, each with the state of its connection. */
export type Breakers = Readonly<Partial<Record<'redis' | 'mariadb' | 'rabbitmq', BreakerState>>>;

/** The state of the gate in a process that decides. */
export interface GateReport {
  readonly reasons: readonly string[];
  readonly epoch: number | null;
}

/** What waits for MariaDB, and how much may. */
export interface BacklogReport {
  readonly entries: number;
  readonly bytes: number;
  readonly boundEntries: number;
  readonly boundBytes: number;
}

/** What a writer is at. */
export interface DrainReport {
  readonly mode: string;
  readonly hasLease: boolean;
  /** A journal id; null while it is not known. */
  readonly checkpoint: string | null;
  readonly lagEntries: number | null;
  readonly lagSeconds: number | null;
  readonly deadLetters: number;
  readonly lastError: string | null;
}

/** What a scheduler is at. */
export interface SchedulerReport {
  readonly roles: readonly string[];
  /** Null where it does not announce. `overdue`: null while that is not known. */
  readonly announcer: {
    readonly mode: string;
    readonly overdue: number | null;
    readonly lastAnnouncedAgoMs: number | null;
    readonly lastError: string | null;
  } | null;
  /** Null where it does not publish. */
  readonly publisher: {
    readonly mode: string;
    readonly hasLease: boolean;
    readonly lastError: string | null;
  } | null;
}

/** What a process says of itself once a second; each kind of process has parts of its own. */
export interface ProcessReport {
  readonly gate?: GateReport;
  readonly backlog?: BacklogReport | null;
  readonly queue?: { readonly waiting: number; readonly bound: number };
  readonly drain?: DrainReport;
  readonly scheduler?: SchedulerReport;
  /** Of a writer: why Redis must be rebuilt and a person must decide; empty = nothing of the kind. */
  readonly undecided?: readonly string[];
  readonly breakers: Breakers;
}

/** Who a process is, and what it says: what the mirror in Redis holds. */
export interface ProcessCard {
  readonly id: string;
  readonly kind: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly url: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly acknowledged: Position;
  readonly isStopped: boolean;
  readonly report: ProcessReport;
}
