import type { Database } from '../database.ts';

/** A rebuild of Redis from MariaDB. */
export interface LastRecovery {
  /** The epoch that it began. */
  readonly epoch: number;
  readonly cause: string;
  readonly startedAt: Date;
  /** Null while it is under way, or where it broke off. */
  readonly completedAt: Date | null;
}

/** The last recovery, or null when there was none. */
export async function readLastRecovery(database: Database): Promise<LastRecovery | null> {
  const row = await database.query
    .selectFrom('recoveries')
    .select(['epoch', 'cause', 'started_at', 'completed_at'])
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return null;
  return { epoch: row.epoch, cause: row.cause, startedAt: row.started_at, completedAt: row.completed_at };
}
