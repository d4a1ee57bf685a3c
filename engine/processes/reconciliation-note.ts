import type { RedisClient } from '../redis/client.ts';
import { KEYS } from '../redis/keys.ts';

/** What the last reconciliation found. */
export interface ReconciliationNote {
  /** Ms since 1970. */
  readonly at: number;
  readonly consistent: boolean;
  /** How many drifts. */
  readonly drifts: number;
  /** The journal id of the instant that was compared. */
  readonly cut: string;
  readonly backlog: number;
}

/** Leaves the outcome of a reconciliation where metrics and status find it. */
export async function noteReconciliation(redis: RedisClient, note: ReconciliationNote): Promise<void> {
  await redis.set(KEYS.reconciliation, JSON.stringify(note));
}

/** What the last reconciliation found, or null when there was none. */
export async function readReconciliation(redis: RedisClient): Promise<ReconciliationNote | null> {
  const text = await redis.get(KEYS.reconciliation);
  return text === null ? null : (JSON.parse(text) as ReconciliationNote);
}
