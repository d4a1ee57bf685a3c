import type { Transaction } from '../database.ts';

const SQL = 'select scope from idempotency_keys where scope in (?)';

/** Which of these scopes of idempotency keys there are rows of. */
export async function readKnownScopes(
  transaction: Transaction,
  scopes: readonly string[],
): Promise<Set<string>> {
  if (scopes.length === 0) return new Set();
  const rows = (await transaction.query(SQL, [scopes])) as { scope: string }[];
  return new Set(rows.map(({ scope }) => scope));
}
