import type { Kysely } from 'kysely';
import type { IdempotencyRecord } from '../../domain/idempotency.ts';
import type { Schema } from '../schema.ts';

/** Up to `count` idempotency keys after the scope `after`, in the order of their scopes. */
export async function pageIdempotencyKeys(
  db: Kysely<Schema>,
  after: string,
  count: number,
): Promise<IdempotencyRecord[]> {
  return await db
    .selectFrom('idempotency_keys')
    .select(['scope', 'content', 'outcome'])
    .where('scope', '>', after)
    .orderBy('scope')
    .limit(count)
    .execute();
}
