import type { StoredEntry } from '../../journal/entry.ts';
import type { Transaction } from '../database.ts';

const SQL = 'insert into outbox (epoch, sequence, content, written_at) values (?, ?, ?, utc_timestamp(3))';

/**
 * Puts entries, whole, where the publisher finds them. Whoever does so holds the checkpoint's row already, so that ids grow in
 * the order of commits: a lower one never comes to be seen after a higher one.
 */
export async function insertOutboxEntries(
  transaction: Transaction,
  entries: readonly StoredEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await transaction.batch(
    SQL,
    entries.map(({ position, content }) => [position.epoch, position.sequence, content]),
  );
}
