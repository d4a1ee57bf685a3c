import type { IdempotencyRecord } from '../../domain/idempotency.ts';
import type { Transaction } from '../database.ts';

export interface IdempotencyRow extends IdempotencyRecord {
  readonly usedAt: Date;
}

/** A key may be used anew once its time is over, before its row is purged. */
const SQL = `insert into idempotency_keys (scope, content, outcome, used_at) values (?, ?, ?, ?)
  on duplicate key update content = values(content), outcome = values(outcome), used_at = values(used_at)`;

/** Keeps what idempotency keys led to. */
export async function upsertIdempotencyKeys(
  transaction: Transaction,
  rows: readonly IdempotencyRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    SQL,
    rows.map(({ scope, content, outcome, usedAt }) => [scope, content, outcome, usedAt]),
  );
}
