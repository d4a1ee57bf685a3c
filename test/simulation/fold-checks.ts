import { expect } from 'vitest';
import { SCOPE_CHARACTERS } from '../../engine/domain/idempotency.ts';
import {
  type EntryAdjustment,
  type EntryOrder,
  levelField,
  type ModelEntry,
  type Status,
} from './model/state.ts';
import { type Opening, Openings } from './openings.ts';

/** What must hold of a journal read from its first entry on, whatever wrote it. */

/** P1: folding all entries gives the levels, none of which was ever negative. */
export function expectUnitsKept(entries: readonly ModelEntry[], levels: readonly [string, number][]): void {
  const fold = new UnitFold();
  for (const entry of entries) fold.add(entry);
  expect(new Map(levels)).toEqual(fold.units);
}

/** Asks the journal nothing that follows from what it said before: where units go back, and what an event has left. */
class UnitFold {
  /** By level field. */
  readonly units = new Map<string, number>();
  readonly #openings = new Openings();
  readonly #lines = new Map<string, { sku: string; quantity: number; opening: Opening | undefined }[]>();

  add(entry: ModelEntry): void {
    if (entry.kind === 'products') for (const { sku, stock } of entry.products) this.#change(sku, stock ?? 0);
    if (entry.kind === 'adjustments') for (const adjustment of entry.adjustments) this.#adjust(adjustment);
    if (entry.kind === 'orders') for (const order of entry.orders) this.#take(order);
    if (entry.kind === 'settlements')
      for (const { place, status } of entry.settlements) if (status !== 'placed') this.#giveBack(place);
    if (entry.kind === 'events') for (const move of entry.moves) this.#move(entry, move);
    this.#openings.learn(entry);
  }

  #change(field: string, change: number): void {
    this.units.set(field, (this.units.get(field) ?? 0) + change);
    expect(this.units.get(field), `units of "${field}"`).toBeGreaterThanOrEqual(0);
  }

  #adjust({ sku, delta, available }: EntryAdjustment): void {
    this.#change(sku, delta);
    expect({ sku, available }).toEqual({ sku, available: this.units.get(sku) });
  }

  #take({ place, lines }: EntryOrder): void {
    for (const { sku, eventId, quantity } of lines) {
      expect(quantity).toBeGreaterThan(0);
      this.#change(levelField(sku, eventId), -quantity);
    }
    const taken = lines.map(({ sku, eventId, quantity }) => {
      return { sku, quantity, opening: eventId === null ? undefined : this.#openings.of(sku) };
    });
    this.#lines.set(place, taken);
  }

  /** To the pool of the event as long as it is open as it was then, else to the regular one. */
  #giveBack(place: string): void {
    for (const { sku, quantity, opening } of this.#lines.get(place)!) {
      const isOpen = opening !== undefined && this.#openings.of(sku) === opening;
      this.#change(levelField(sku, isOpen ? opening.event : null), quantity);
    }
  }

  /** Units go from one pool to the other; what a closing leaves in the event's pool would be lost. */
  #move(
    { event, action }: { event: string; action: string },
    { sku, units }: { sku: string; units: number },
  ) {
    const isOurs = action === 'open' || (action !== 'record' && this.#openings.of(sku)?.event === event);
    if (!isOurs) return expect(units, `units of "${sku}" that ${event} moves`).toBe(0);
    const field = levelField(sku, event);
    this.#change(sku, -units);
    this.#change(field, units);
    if (action !== 'close') return;
    expect(this.units.get(field), `units left in "${field}"`).toBe(0);
    this.units.delete(field);
  }
}

const STEPS: Readonly<Record<Status, readonly Status[]>> = {
  held: ['placed', 'cancelled', 'expired'],
  placed: ['cancelled'],
  cancelled: [],
  expired: [],
};

/** P4: each order goes its way through docs/DATA.md, "The life of an order"; what goes back is what was taken. */
export function expectEveryStepOnce(entries: readonly ModelEntry[]): void {
  const orders = new Map<string, EntryOrder>();
  const statuses = new Map<string, Status>();
  for (const entry of entries) {
    if (entry.kind === 'orders')
      for (const order of entry.orders) {
        expect(orders.has(order.place), `${order.place} is placed once`).toBe(false);
        orders.set(order.place, order);
        statuses.set(order.place, order.status);
      }
    if (entry.kind !== 'settlements') continue;
    for (const { place, status, lines, strays } of entry.settlements) {
      const { lines: taken, expiresAt } = orders.get(place)!;
      const before = statuses.get(place)!;
      expect(STEPS[before], `${place} was ${before}`).toContain(status);
      if (before === 'held') expect(status === 'expired', `in time: ${place}`).toBe(expiresAt! <= entry.at);
      const back = taken.map(({ sku, quantity, eventId }) => ({ sku, quantity, eventId }));
      expect([...lines, ...strays].sort(bySku)).toEqual(status === 'placed' ? [] : back.sort(bySku));
      statuses.set(place, status);
    }
  }
}

const bySku = (a: { sku: string }, b: { sku: string }) => (a.sku < b.sku ? -1 : 1);

const SLOTS = 6;

/** P4: `turnsAt`: how often the ring had turned when each entry was written. A record goes with the sixth turn. */
export function expectAtMostOnceAKey(entries: readonly ModelEntry[], turnsAt: readonly number[]): void {
  const usedAt = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    for (const { token } of keyedDeeds(entry)) {
      if (!token) continue;
      const scope = token.slice(0, SCOPE_CHARACTERS);
      const turns = turnsAt[index]! - (usedAt.get(scope) ?? Number.NEGATIVE_INFINITY);
      expect(turns, `turns of the ring since the key ${scope} was used`).toBeGreaterThanOrEqual(SLOTS);
      usedAt.set(scope, turnsAt[index]!);
    }
  }
}

function keyedDeeds(entry: ModelEntry): readonly { readonly token: string | null }[] {
  switch (entry.kind) {
    case 'orders':
      return entry.orders;
    case 'adjustments':
      return entry.adjustments;
    case 'settlements':
      return entry.keyed;
    case 'events':
      return [entry];
    default:
      return [];
  }
}
