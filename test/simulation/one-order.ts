import { beforeEach, expect } from 'vitest';
import type { OrderStatus } from '../../engine/domain/order.ts';
import { ORIGIN, type Position } from '../../engine/domain/position.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import { expireHolds } from '../../engine/redis/commands/expire-holds.ts';
import { placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { type SettlementAction, settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { trimJournal } from '../../engine/redis/commands/trim-journal.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { useRedis } from '../fixtures/servers.ts';

export const HOLD_MS = 1_000;
/** The first order of a shop: two units of a, three of b. */
export const ORDER = { epoch: 1, sequence: 1, index: 0 };
export const LINES = [
  { sku: 'a', quantity: 2, eventId: null },
  { sku: 'b', quantity: 3, eventId: null },
];
/** The levels before it is placed, and after. */
export const FULL = { a: 10, b: 10 };
export const TAKEN = { a: 8, b: 7 };
const DETAILS = { name: 'n', producer: null, type: null, function: null, description: null };

/**
 * Before each test of the file an empty Redis with the products a and b, at a clock that the test turns: what places
 * an order of both, and what ends it.
 */
export function useOneOrder() {
  const redis = useRedis();
  const clock = { now: 0, nowMs: () => clock.now, monotonicMs: () => performance.now() };
  const laneOptions = () => ({ redis: redis.client, clock, deadlineMs: 5_000, epoch: () => 1 });

  function open<Item, Outcome>(command: BatchCommand<Item, Outcome>) {
    const bounds = { itemsOfCall: 256, weightOfCall: 3_840, itemsWaiting: 10_000, waitMs: 5_000, lanes: 1 };
    return new Batcher<Item, Outcome>({ ...laneOptions(), command, bounds });
  }

  async function putAll(skus: readonly string[]): Promise<void> {
    const products = open(putProducts);
    await Promise.all(skus.map((sku) => products.submit({ sku, price: 5, stock: 10, details: DETAILS })));
  }

  beforeEach(async () => {
    clock.now = 1_000_000;
    await redis.client.flushall();
    await redis.client.set(KEYS.epoch, 1);
    await putAll(['a', 'b']);
  });

  const lookAtHolds = () =>
    expireHolds({ lane: new Lane(laneOptions()), epoch: () => 1, nowMs: clock.nowMs });

  return {
    redis,
    clock,
    open,
    putAll,
    placeOrder: (holdMs = HOLD_MS) => open(placeOrdersWithHold(holdMs)).submit({ user: 'u', lines: LINES }),
    lookAtHolds,
    expire: async () => (await lookAtHolds()).ended,

    /** Settles the order; `status` and `asOf` are what a caller read of it elsewhere. */
    settle(action: SettlementAction, status: OrderStatus = 'held', asOf: Position = ORDER) {
      return open(settleOrders).submit({ place: ORDER, action, status, lines: LINES, asOf, user: 'u' });
    },

    async levels() {
      const [a, b] = await redis.client.hmget(KEYS.levels, 'a', 'b');
      return { a: Number(a), b: Number(b) };
    },

    async readSettlements() {
      const entries = await readEntriesAfter(redis.client, ORIGIN, { count: 100 });
      return entries.flatMap((entry) => (entry.kind === 'settlements' ? entry.settlements : []));
    },

    /** As the writer does once MariaDB has everything. */
    async commitAll(): Promise<Position> {
      const [, last] = (await redis.client.xinfo('STREAM', KEYS.journal)) as unknown[];
      expect(last).toBeDefined();
      const committed = { epoch: 1, sequence: Number(await redis.client.xlen(KEYS.journal)) + 100 };
      const place = `${ORDER.epoch}-${ORDER.sequence}-${ORDER.index}`;
      await trimJournal(redis.client, {
        committed,
        settled: [{ position: ORDER, place }],
        nowMs: clock.now,
      });
      return committed;
    },
  };
}
