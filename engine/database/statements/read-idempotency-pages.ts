import type { Kysely } from 'kysely';
import type { IdempotencyRecord } from '../../domain/idempotency.ts';
import type { Schema } from '../schema.ts';

/** Walks all idempotency keys by scope, `count` a page. */
export async function* readIdempotencyPages(
  db: Kysely<Schema>,
  count: number,
): AsyncGenerator<IdempotencyRecord[]> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: IdempotencyRecord[] = await db
      .selectFrom('idempotency_keys')
      .select(['scope', 'content', 'outcome'])
      .where('scope', '>', after)
      .orderBy('scope')
      .limit(count)
      .execute();
    yield rows;
    after = rows.length < count ? undefined : rows.at(-1)!.scope;
  }
}
