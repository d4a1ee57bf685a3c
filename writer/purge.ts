import type { Database } from '../engine/database/database.ts';
import { purgeIdempotencyKeys } from '../engine/database/statements/purge-idempotency-keys.ts';

/** Deletes idempotency keys whose time is over, a bounded number at a time. `nowMs` since 1970. */
export async function purgeOldKeys(database: Database, nowMs: number, keepMs: number): Promise<void> {
  const usedBefore = new Date(nowMs - keepMs);
  while ((await purgeIdempotencyKeys(database, usedBefore)) > 0);
}
