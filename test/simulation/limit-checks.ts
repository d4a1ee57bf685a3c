import { expect } from 'vitest';
import type { EntryOrder, EntrySettlement, ModelEntry } from './model/state.ts';
import { type Opening, Openings } from './openings.ts';

/**
 * What must hold of sale events, by the journal from its first entry on: a line is of the event that has its SKU then, at its
 * price; no customer ever has more than the limit in live orders; and that is what Redis counts of what is open.
 */
export function expectLimitsKept(
  entries: readonly ModelEntry[],
  counts: readonly (readonly [string, number])[],
): void {
  const fold = new LimitFold();
  for (const entry of entries) fold.add(entry);
  const prefixes = fold.openings.all().map(({ sequence, sku }) => `1-${sequence}\0${sku}\0`);
  const ofOpen = counts.filter(([field]) => prefixes.some((prefix) => field.startsWith(prefix)));
  expect(new Map(ofOpen)).toEqual(fold.counted());
}

class LimitFold {
  readonly openings = new Openings();
  /** The units that each customer has under an opening. */
  readonly #units = new Map<Opening, Map<string, number>>();
  /** Place -> what changes back when the order ends. */
  readonly #live = new Map<string, { user: string; lines: { opening: Opening; quantity: number }[] }>();

  add(entry: ModelEntry): void {
    if (entry.kind === 'orders') for (const order of entry.orders) this.#place(order, entry.at);
    if (entry.kind === 'settlements') for (const settlement of entry.settlements) this.#settle(settlement);
    this.openings.learn(entry);
  }

  /** Of what is open and limited: opening, SKU and user -> units. */
  counted(): Map<string, number> {
    const fields = this.openings
      .all()
      .flatMap((opening) =>
        [...(this.#units.get(opening) ?? [])]
          .filter(([, units]) => opening.limit !== null && units > 0)
          .map(([user, units]): [string, number] => [
            `1-${opening.sequence}\0${opening.sku}\0${user}`,
            units,
          ]),
      );
    return new Map(fields);
  }

  #place({ place, user, lines }: EntryOrder, at: number): void {
    const taken: { opening: Opening; quantity: number }[] = [];
    for (const { sku, quantity, eventId, unitPrice } of lines) {
      const opening = this.openings.of(sku);
      const isOn = opening !== undefined && opening.startsAt <= at && at < opening.endsAt;
      expect(eventId, `the event of "${sku}" in ${place}`).toBe(isOn ? opening.event : null);
      if (!isOn) continue;
      expect(unitPrice, `the price of "${sku}" in ${place}`).toBe(opening.price);
      taken.push({ opening, quantity });
      this.#change(opening, user, quantity);
    }
    this.#live.set(place, { user, lines: taken });
  }

  #settle({ place, status }: EntrySettlement): void {
    if (status === 'placed') return;
    const { user, lines } = this.#live.get(place)!;
    for (const { opening, quantity } of lines) this.#change(opening, user, -quantity);
  }

  #change(opening: Opening, user: string, change: number): void {
    const units = this.#units.get(opening) ?? new Map<string, number>();
    this.#units.set(opening, units);
    const has = (units.get(user) ?? 0) + change;
    expect(has, `units of "${opening.sku}" that ${user} has`).toBeGreaterThanOrEqual(0);
    if (opening.limit !== null)
      expect(has, `of "${opening.sku}", ${user}`).toBeLessThanOrEqual(opening.limit);
    units.set(user, has);
  }
}
