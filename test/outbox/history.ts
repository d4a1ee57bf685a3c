import fc from 'fast-check';
import { totalOf } from '../../engine/domain/order.ts';
import { formatOrderId } from '../../engine/domain/order-id.ts';
import { eventOf, levelField, type PoolOfSku, REGULAR_POOL } from '../../engine/domain/pool.ts';
import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import type { Entry } from '../../engine/journal/entry.ts';
import type { EventChange } from '../../engine/journal/event-change.ts';
import type { JournalOrder } from '../../engine/journal/order-entry.ts';
import type { LevelUnits, Settlement } from '../../engine/journal/settlement-entry.ts';

const SKUS = ['tea', 'cup', 'pot'] as const;
const EVENTS = ['sale', 'fair'] as const;
const AT = Date.UTC(2026, 0, 1);
const DETAILS = { name: 'a', producer: null, type: null, function: null, description: null };

/** A wish to do something to a made-up shop; what it comes to depends on what is there. */
interface Wish {
  readonly what: 'create' | 'order' | 'end' | 'adjust' | 'event' | 'allot' | 'compensate' | 'wish';
  readonly sku: (typeof SKUS)[number];
  readonly event: (typeof EVENTS)[number];
  readonly units: number;
  readonly count: number;
}

const WHAT = [
  ...(['create', 'order', 'order', 'order', 'end'] as const),
  ...(['adjust', 'event', 'allot', 'compensate', 'wish'] as const),
];

/** Wishes, at random. */
export const wishes: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    what: fc.constantFrom(...WHAT),
    sku: fc.constantFrom(...SKUS),
    event: fc.constantFrom(...EVENTS),
    units: fc.integer({ min: 0, max: 40 }),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 60, size: 'max' },
);

/** An entry of a made-up journal, and units by level field before and after it. */
export interface Moment {
  readonly entry: Entry;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

interface LiveOrder {
  readonly id: string;
  readonly units: readonly LevelUnits[];
  /** By event id: which of its openings it was decided under. */
  readonly opening: number;
}

type Deed = Entry extends infer Each ? (Each extends Entry ? Omit<Each, 'position' | 'at'> : never) : never;

/** Keeps the levels of a made-up shop by hand, a unit at a time, and writes its journal. */
export class MadeUpShop {
  readonly moments: Moment[] = [];
  readonly #levels = new Map<string, number>();
  readonly #live: LiveOrder[] = [];
  #open: string | null = null;
  #openings = 0;

  constructor(all: readonly Wish[]) {
    for (const wish of all) this.#do(wish);
  }

  #do(wish: Wish): void {
    const before = new Map(this.#levels);
    const deed = this.#deed(wish);
    if (!deed) return;
    const position = { epoch: 1, sequence: this.moments.length };
    const entry = { position, at: AT + position.sequence, ...deed } as Entry;
    this.moments.push({ entry, before, after: new Map(this.#levels) });
  }

  #deed(wish: Wish): Deed | null {
    switch (wish.what) {
      case 'create':
        return this.#create(wish);
      case 'order':
        return this.#order(wish);
      case 'end':
        return this.#end(wish);
      case 'adjust':
        return this.#adjust(wish);
      case 'event':
        return this.#open === null ? this.#openEvent(wish) : this.#closeEvent();
      case 'allot':
        return this.#open === null ? null : this.#allot(wish);
      case 'compensate':
        return this.#compensate(wish);
      case 'wish':
        return { kind: 'wishlists', changes: [{ user: 'mina', sku: wish.sku, quantity: 1 }] };
    }
  }

  #at(level: PoolOfSku): number {
    return this.#levels.get(levelField(level)) ?? 0;
  }

  #add(level: PoolOfSku, units: number): void {
    this.#levels.set(levelField(level), this.#at(level) + units);
  }

  #create({ sku, units }: Wish): Deed {
    const level = { sku, pool: REGULAR_POOL };
    const isNew = !this.#levels.has(levelField(level));
    if (isNew) this.#add(level, units);
    const product = { sku, price: 5, stock: isNew ? units : null, details: DETAILS };
    return { kind: 'products', products: [product] };
  }

  #order({ sku, units, count }: Wish): Deed | null {
    const orders: JournalOrder[] = [];
    const place = { epoch: 1, sequence: this.moments.length };
    for (let order = 0; order < count; order++) {
      const taken = [sku, SKUS[(SKUS.indexOf(sku) + order + 1) % SKUS.length]!].flatMap((one) =>
        this.#take(one, 1 + (units % 9)),
      );
      if (taken.length === 0) continue;
      const id = formatOrderId({ ...place, index: orders.length });
      orders.push(orderOf(id, taken));
      this.#live.push({ id, units: taken, opening: this.#openings });
    }
    return orders.length > 0 ? { kind: 'orders', orders } : null;
  }

  #take(sku: string, quantity: number): LevelUnits[] {
    const inEvent = this.#open !== null && this.#levels.has(levelField({ sku, pool: this.#open }));
    const level = { sku, pool: inEvent ? this.#open! : REGULAR_POOL };
    if (this.#at(level) < quantity) return [];
    this.#add(level, -quantity);
    return [{ ...level, quantity }];
  }

  #end({ count, units }: Wish): Deed | null {
    const ended = this.#live.splice(0, count);
    if (ended.length === 0) return null;
    const settlements = ended.map((order) => this.#giveBack(order, units % 2 ? 'cancelled' : 'expired'));
    return { kind: 'settlements', settlements, keyed: [] };
  }

  #giveBack({ id, units, opening }: LiveOrder, status: 'cancelled' | 'expired'): Settlement {
    const isStray = ({ pool }: LevelUnits) =>
      pool !== REGULAR_POOL && !(pool === this.#open && opening === this.#openings);
    const [back, strays] = [units.filter((each) => !isStray(each)), units.filter(isStray)];
    for (const { quantity, ...level } of back) this.#add(level, quantity);
    for (const { sku, quantity } of strays) this.#add({ sku, pool: REGULAR_POOL }, quantity);
    return { orderId: id, status, units: back, strays, countedFor: null, reason: null };
  }

  #adjust({ sku, units }: Wish): Deed | null {
    const level = { sku, pool: REGULAR_POOL };
    const delta = Math.max(units - 15, -this.#at(level));
    if (delta === 0 || !this.#levels.has(levelField(level))) return null;
    this.#add(level, delta);
    return {
      kind: 'adjustments',
      adjustments: [{ sku, delta, reason: 'counted', available: this.#at(level), token: null }],
    };
  }

  #openEvent({ sku, event, units }: Wish): Deed {
    this.#open = event;
    this.#openings += 1;
    const moved = Math.min(units, this.#at({ sku, pool: REGULAR_POOL }));
    return this.#move('open', [{ sku, units: moved }]);
  }

  /** Some more or, negative, less of an open event's allotment. */
  #allot({ sku, units }: Wish): Deed {
    const [pool, regular] = [this.#at({ sku, pool: this.#open! }), this.#at({ sku, pool: REGULAR_POOL })];
    return this.#move('adjust', [{ sku, units: Math.min(Math.max(units - 20, -pool), regular) }]);
  }

  #closeEvent(): Deed {
    const moves = SKUS.filter((sku) => this.#levels.has(levelField({ sku, pool: this.#open! }))).map(
      (sku) => ({ sku, units: 0 - this.#at({ sku, pool: this.#open! }) }),
    );
    const deed = this.#move('close', moves);
    this.#open = null;
    return deed;
  }

  #move(action: 'open' | 'close' | 'adjust', moves: EventChange['moves']): Deed {
    const pool = this.#open!;
    for (const { sku, units } of moves) {
      this.#add({ sku, pool }, units);
      this.#add({ sku, pool: REGULAR_POOL }, -units);
    }
    return {
      kind: 'events',
      change: { event: eventNamed(pool), action, moves, token: null, occurrences: [], reason: null },
    };
  }

  #compensate({ sku, units }: Wish): Deed | null {
    const level = { sku, pool: REGULAR_POOL };
    const levelDelta = Math.max(units - 15, -this.#at(level));
    this.#add(level, levelDelta);
    const compensation = { ...level, redisDelta: 1, levelDelta, movementDelta: 2, reason: 'a test' };
    return { kind: 'compensations', compensations: [compensation] };
  }
}

function orderOf(id: string, taken: readonly LevelUnits[]): JournalOrder {
  const items = taken.map(({ sku, quantity, pool }) => ({
    sku,
    quantity,
    unitPrice: 5,
    eventId: eventOf(pool),
  }));
  const placedAt = new Date(AT).toISOString();
  const order = { id, status: 'placed', items, total: totalOf(items), placedAt, expiresAt: null } as const;
  return { userId: 'mina', order, fromWishlist: false, token: null };
}

function eventNamed(id: string): SaleEvent {
  const times = { startsAt: 0, endsAt: 9, holdSeconds: 0, repeat: null, occurrence: 1 };
  return { id, name: id, status: 'open', items: [], ...times };
}
