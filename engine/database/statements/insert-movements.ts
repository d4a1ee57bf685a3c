import type { Transaction } from '../database.ts';

/** A change of stock that is no order: `entry` and `line` say where in the journal it stands. */
export interface MovementRow {
  readonly entry: string;
  readonly line: number;
  readonly sku: string;
  readonly pool: string;
  readonly delta: number;
  readonly kind: 'load' | 'adjustment' | 'opening' | 'closing' | 'allotment' | 'stray' | 'compensation';
  readonly reason: string | null;
  readonly movedAt: Date;
}

const SQL = `insert into stock_movements (entry, line, sku, pool, delta, kind, reason, moved_at)
  values (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Inserts movements of stock. */
export async function insertMovements(transaction: Transaction, rows: readonly MovementRow[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.batch(
    SQL,
    rows.map((row) => [row.entry, row.line, row.sku, row.pool, row.delta, row.kind, row.reason, row.movedAt]),
  );
}
