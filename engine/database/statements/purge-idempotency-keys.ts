import type { Database } from '../database.ts';

const ROWS_OF_A_PURGE = 10_000;

/** Deletes up to 10,000 keys that were used before `usedBefore`; resolves to how many, so that a caller can go on. */
export async function purgeIdempotencyKeys(database: Database, usedBefore: Date): Promise<number> {
  const { numDeletedRows } = await database.query
    .deleteFrom('idempotency_keys')
    .where('used_at', '<', usedBefore)
    .limit(ROWS_OF_A_PURGE)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
