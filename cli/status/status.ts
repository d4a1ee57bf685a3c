import type { LastRecovery } from '../../engine/database/statements/read-last-recovery.ts';
import type { ReconciliationNote } from '../../engine/processes/reconciliation-note.ts';
import type { ProcessCard } from '../../engine/processes/report.ts';

export const SERVERS = ['Redis', 'MariaDB', 'RabbitMQ'] as const;

export type ServerName = (typeof SERVERS)[number];

/** Whether a server answers. */
export interface ServerStatus {
  readonly name: ServerName;
  readonly reachable: boolean;
  /** How long the answer took. */
  readonly ms: number | null;
  readonly version: string | null;
  readonly error: string | null;
}

/** A process as it was last heard of. */
export interface ProcessStatus extends ProcessCard {
  /** Heard of within five seconds, and not ended in order. */
  readonly alive: boolean;
  readonly seenAgoMs: number;
}

/** What `bootakhae status --json` prints. Null: the server that knows it was not asked, or did not answer. */
export interface Status {
  readonly healthy: boolean;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  readonly servers: readonly ServerStatus[];
  readonly processes: readonly ProcessStatus[];
  /** Journal entries that MariaDB refused. */
  readonly deadLettersWaiting: number | null;
  /** Messages of RabbitMQ that nobody could handle. */
  readonly deadMessagesWaiting: number | null;
  /** Sale events that should have opened or closed and have not, as far as MariaDB knows. */
  readonly overdueEvents: number | null;
  readonly lastRecovery: LastRecovery | null;
  readonly lastReconciliation: ReconciliationNote | null;
}
