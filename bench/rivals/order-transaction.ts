import type { Database, Transaction } from '../../engine/database/database.ts';
import { changeLevels } from '../../engine/database/statements/change-levels.ts';
import { insertOrderItems } from '../../engine/database/statements/insert-order-items.ts';
import { insertOrders } from '../../engine/database/statements/insert-orders.ts';
import type { OrderLine, OrderOutcome, RequestedLine } from '../../engine/domain/order.ts';
import { formatOrderId } from '../../engine/domain/order-id.ts';
import { REGULAR_POOL } from '../../engine/domain/pool.ts';
import { accepted } from './rival.ts';

const EPOCH = 1;

/** `lock` = SELECT … FOR UPDATE; else the levels are protected by somebody else. */
export interface OrderTransactionOptions {
  readonly database: Database;
  readonly lock: boolean;
}

/**
 * Places one order in one MariaDB transaction: reads its levels, changes them, inserts the order and its lines. Six
 * round trips; prices are kept in memory, which is more than the services that this stands for had.
 */
export class OrderTransaction {
  readonly #database: Database;
  readonly #select: string;
  #prices: ReadonlyMap<string, number> = new Map();
  #sequence = 0;

  constructor({ database, lock }: OrderTransactionOptions) {
    this.#database = database;
    this.#select = `select sku, available from stock_levels where pool = '${REGULAR_POOL}' and sku in (?) order by sku${lock ? ' for update' : ''}`;
  }

  /** Reads the prices; before the first order. */
  async start(): Promise<void> {
    const rows = await this.#database.query.selectFrom('products').select(['sku', 'price']).execute();
    this.#prices = new Map(rows.map(({ sku, price }) => [sku, price]));
  }

  /** `lines` in the order of their SKUs: rows are then locked in one order by all. */
  async place(user: string, lines: readonly RequestedLine[]): Promise<OrderOutcome> {
    const unknown = lines.filter(({ sku }) => !this.#prices.has(sku)).map(({ sku }) => sku);
    if (unknown.length > 0) return { kind: 'unknown_product', skus: unknown };
    return await this.#database.transaction(async (transaction) => {
      const shortages = await this.#shortages(transaction, lines);
      if (shortages.length > 0) return { kind: 'out_of_stock', shortages };
      return await this.#write(transaction, user, lines);
    });
  }

  async #shortages(transaction: Transaction, lines: readonly RequestedLine[]) {
    const rows = (await transaction.query(this.#select, [lines.map(({ sku }) => sku)])) as {
      sku: string;
      available: number;
    }[];
    const available = new Map(rows.map((row) => [row.sku, row.available]));
    return lines
      .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available.get(sku) ?? 0 }))
      .filter((line) => line.available < line.requested);
  }

  async #write(transaction: Transaction, user: string, lines: readonly RequestedLine[]) {
    const id = formatOrderId({ epoch: EPOCH, sequence: this.#sequence++, index: 0 });
    const at = Date.now();
    const outcome = accepted(
      id,
      at,
      lines,
      lines.map(({ sku }) => this.#prices.get(sku)!),
    );
    const { total, items } = outcome.order;
    await changeLevels(
      transaction,
      lines.map(({ sku, quantity }) => ({ sku, pool: REGULAR_POOL, delta: -quantity })),
    );
    await insertOrders(transaction, [
      { id, userId: user, status: 'placed', total, placedAt: new Date(at), expiresAt: null },
    ]);
    await insertOrderItems(transaction, rowsOf(id, items));
    return outcome;
  }
}

function rowsOf(orderId: string, items: readonly OrderLine[]) {
  return items.map(({ sku, quantity, unitPrice }, line) => {
    return { orderId, line, sku, pool: REGULAR_POOL, quantity, unitPrice };
  });
}

/** The lines in the order in which everybody locks. */
export function sortedLines(lines: readonly RequestedLine[]): RequestedLine[] {
  return [...lines].sort((a, b) => (a.sku < b.sku ? -1 : 1));
}
