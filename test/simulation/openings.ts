import type { ModelEntry } from './model/state.ts';

/** What the opening of a sale event made of a SKU, by the event's record. Times in ms since 1970; `limit` null = none. */
export interface Opening {
  readonly event: string;
  readonly sku: string;
  /** The sequence of its entry. */
  readonly sequence: number;
  readonly price: number;
  readonly limit: number | null;
  readonly startsAt: number;
  readonly endsAt: number;
}

type EventEntry = Extract<ModelEntry, { kind: 'events' }>;

/** Which openings are in force, read from the journal entry by entry. One opening is one object: compare them by identity. */
export class Openings {
  readonly #bySku = new Map<string, Opening>();

  learn(entry: ModelEntry): void {
    if (entry.kind !== 'events') return;
    if (entry.action === 'open')
      for (const opening of openingsOf(entry)) this.#bySku.set(opening.sku, opening);
    if (entry.action === 'close')
      for (const { sku } of entry.moves) if (this.of(sku)?.event === entry.event) this.#bySku.delete(sku);
  }

  /** The one that has the SKU now, whatever its times. */
  of(sku: string): Opening | undefined {
    return this.#bySku.get(sku);
  }

  all(): Opening[] {
    return [...this.#bySku.values()];
  }
}

function openingsOf({ event, record, sequence }: EventEntry): Opening[] {
  const { startsAt, endsAt, items } = JSON.parse(record) as {
    startsAt: number;
    endsAt: number;
    items: { sku: string; price: number; limitPerUser: number | null }[];
  };
  return items.map(({ sku, price, limitPerUser: limit }) => ({
    ...{ event, sku, sequence, price, limit, startsAt, endsAt },
  }));
}
