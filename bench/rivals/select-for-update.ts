import { connectDatabase } from '../../engine/database/database.ts';
import { OrderTransaction, sortedLines } from './order-transaction.ts';
import type { Rival, RivalConfig } from './rival.ts';

/** What the legacy service ended with: one transaction an order that locks all rows of its levels. */
export async function createSelectForUpdate(config: RivalConfig): Promise<Rival> {
  const database = connectDatabase(config.DATABASE_URL, config.DATABASE_CONNECTIONS);
  const transaction = new OrderTransaction({ database, lock: true });
  await transaction.start();
  return {
    placeOrder: ({ user, lines }) => transaction.place(user, sortedLines(lines!)),
    stop: () => database.close(),
  };
}
