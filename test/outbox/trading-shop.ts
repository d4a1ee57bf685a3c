import type { Database } from '../../engine/database/database.ts';
import { readCheckpoint } from '../../engine/database/statements/read-checkpoint.ts';
import type { OrderStatus } from '../../engine/domain/order.ts';
import { parseOrderId } from '../../engine/domain/order-id.ts';
import { ORIGIN } from '../../engine/domain/position.ts';
import { SaleEvents } from '../../engine/events/sale-events.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { adjustStock } from '../../engine/redis/commands/adjust-stock.ts';
import { changeEvent } from '../../engine/redis/commands/change-event.ts';
import { expireHolds } from '../../engine/redis/commands/expire-holds.ts';
import { placeOrders, placeOrdersWithHold } from '../../engine/redis/commands/place-orders.ts';
import { putProducts } from '../../engine/redis/commands/put-products.ts';
import { type SoldUnits, settleOrders } from '../../engine/redis/commands/settle-orders.ts';
import { readEvent, readEvents } from '../../engine/redis/event-reader.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { applyEntries } from '../../writer/apply.ts';
import type { SeededRandom } from '../simulation/seeded-random.ts';

const SKUS = ['tea', 'cup', 'pot'];
const HOLD_MS = 600_000;
const DETAILS = { name: 'n', producer: null, type: null, function: null, description: null };
const ALL = 1_000_000;

interface KnownOrder {
  readonly id: string;
  readonly user: string;
  readonly status: OrderStatus;
  readonly lines: readonly SoldUnits[];
}

/** A shop on real servers in which things happen at random, all of them through the scripts. */
export class TradingShop {
  readonly #redis: RedisClient;
  readonly #database: Database;
  readonly #random: SeededRandom;
  readonly #events: SaleEvents;
  readonly #known: KnownOrder[] = [];
  #open: string | null = null;

  constructor(redis: RedisClient, database: Database, random: SeededRandom) {
    this.#redis = redis;
    this.#database = database;
    this.#random = random;
    this.#events = new SaleEvents({
      clock: systemClock,
      readEvents: () => readEvents(redis),
      readEvent: (id) => readEvent(redis, id),
      changeEvent: (request) => this.#batcher(changeEvent).submit(request),
      readRecord: async () => null,
    });
  }

  /** Begins its journal with some products. */
  async begin(): Promise<void> {
    await this.#redis.set(KEYS.epoch, 1);
    const products = SKUS.map((sku) => ({ sku, price: 5, stock: 60, details: DETAILS }));
    const batcher = this.#batcher(putProducts);
    await Promise.all(products.map((product) => batcher.submit(product)));
  }

  /** Lets `count` things happen, and brings MariaDB up to date after each few. */
  async trade(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      await this.#something();
      if (this.#random.chance(30)) await this.apply();
    }
    await this.apply();
  }

  /** Brings MariaDB up to date, as the writer does. */
  async apply(): Promise<void> {
    const checkpoint = await readCheckpoint(this.#database);
    const entries = await readEntriesAfter(this.#redis, checkpoint, { count: ALL });
    if (entries.length > 0) await applyEntries(this.#database, checkpoint, entries);
  }

  /** Its journal from the beginning. */
  async journal() {
    return await readEntriesAfter(this.#redis, ORIGIN, { count: ALL });
  }

  async #something(): Promise<void> {
    const what = this.#random.below(10);
    if (what < 5) await this.#order();
    else if (what < 7) await this.#settle();
    else if (what === 7) await this.#adjust();
    else if (what === 8) await this.#turnEvent();
    else if (this.#random.chance(40)) await this.#expire();
  }

  async #order(): Promise<void> {
    const command = this.#random.chance(50) ? placeOrders : placeOrdersWithHold(HOLD_MS);
    const batcher = this.#batcher(command);
    const asked = Array.from({ length: this.#random.between(1, 6) }, (_, at) => {
      const first = this.#random.below(SKUS.length);
      const skus = [SKUS[first]!, SKUS[(first + 1) % SKUS.length]!].slice(0, this.#random.between(1, 2));
      const lines = skus.map((sku) => ({ sku, quantity: this.#random.between(1, 6) }));
      return { user: `user ${this.#known.length + at}`, lines };
    });
    const outcomes = await Promise.all(asked.map((each) => batcher.submit(each)));
    outcomes.forEach((outcome, at) => {
      if (outcome.kind !== 'accepted') return;
      const { id, status, items } = outcome.order;
      this.#known.push({ id, user: asked[at]!.user, status, lines: items });
    });
  }

  async #settle(): Promise<void> {
    const order = this.#known[this.#random.below(Math.max(1, this.#known.length))];
    if (!order) return;
    const place = parseOrderId(order.id)!;
    const action = this.#random.pick(['confirm', 'cancel'] as const);
    const reason = action === 'cancel' && this.#random.chance(50) ? 'damaged' : undefined;
    await this.#batcher(settleOrders).submit({ ...order, place, action, asOf: place, reason });
  }

  async #adjust(): Promise<void> {
    const delta = this.#random.pick([-20, -7, -1, 1, 15, 30]);
    await this.#batcher(adjustStock).submit({ sku: this.#random.pick(SKUS), delta, reason: 'counted' });
  }

  async #turnEvent(): Promise<void> {
    if (this.#open !== null) {
      await this.#events.step(this.#open, 'close');
      this.#open = null;
      return;
    }
    const now = systemClock.nowMs();
    const items = SKUS.slice(0, 2).map((sku) => ({
      sku,
      stock: this.#random.between(0, 40),
      price: 3,
      limitPerUser: 5,
    }));
    const times = { startsAt: now - 1_000, endsAt: now + 3_600_000 };
    const created = await this.#events.create({
      name: 'a sale',
      ...times,
      holdSeconds: 0,
      items,
      repeat: null,
    });
    if (created.kind !== 'done') throw new Error(created.kind);
    await this.#events.step(created.event.id, 'open');
    this.#open = created.event.id;
  }

  async #expire(): Promise<void> {
    const lane = new Lane({ redis: this.#redis, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 });
    await expireHolds({ lane, epoch: () => 1, nowMs: () => systemClock.nowMs() + HOLD_MS });
  }

  #batcher<Item, Outcome>(command: BatchCommand<Item, Outcome>): Batcher<Item, Outcome> {
    const bounds = { itemsOfCall: 10, weightOfCall: 100, itemsWaiting: 1_000, waitMs: 5_000, lanes: 1 };
    const options = { redis: this.#redis, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 };
    return new Batcher<Item, Outcome>({ ...options, command, bounds });
  }
}
