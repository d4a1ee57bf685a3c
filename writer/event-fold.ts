import type { EventRow } from '../engine/database/statements/upsert-events.ts';
import type { OccurrenceRow } from '../engine/database/statements/upsert-occurrences.ts';
import { formatPosition } from '../engine/domain/position.ts';
import type { EventItem, Occurrence } from '../engine/domain/sale-event.ts';
import type { Entry } from '../engine/journal/entry.ts';
import type { EventChange } from '../engine/journal/event-change.ts';

/** Folds what becomes of sale events and of their windows; what they move is the fold's of levels. */
export class EventFold {
  readonly #events = new Map<string, EventRow>();
  /** By event id and number. */
  readonly #occurrences = new Map<string, OccurrenceRow>();

  add(entry: Entry, change: EventChange): void {
    const { event, action } = change;
    for (const occurrence of change.occurrences) this.#addOccurrence(entry, occurrence, change);
    const opened = action === 'open' ? entry.position : (this.#events.get(event.id)?.opened ?? null);
    this.#events.set(event.id, { event, opened });
  }

  get events(): EventRow[] {
    return [...this.#events.values()];
  }

  get occurrences(): OccurrenceRow[] {
    return [...this.#occurrences.values()];
  }

  #addOccurrence(
    { position, at }: Entry,
    occurrence: Occurrence,
    { event, action, moves }: EventChange,
  ): void {
    const key = `${event.id} ${occurrence.number}`;
    const before = this.#occurrences.get(key);
    const now = { at: new Date(at), entry: formatPosition(position) };
    const isOpened = occurrence.status === 'open';
    const isEnded = !isOpened && occurrence.status !== 'scheduled';
    this.#occurrences.set(key, {
      eventId: event.id,
      number: occurrence.number,
      startsAt: new Date(occurrence.startsAt),
      endsAt: new Date(occurrence.endsAt),
      status: occurrence.status,
      openedAt: isOpened ? now.at : (before?.openedAt ?? null),
      openedEntry: isOpened ? now.entry : (before?.openedEntry ?? null),
      closedAt: isEnded ? now.at : (before?.closedAt ?? null),
      closedEntry: isEnded ? now.entry : (before?.closedEntry ?? null),
      note: action === 'open' ? noteOfShortfalls(event.items, moves) : (before?.note ?? null),
    });
  }
}

/** What was there of an allotment where that was less, for people; null = all of it. */
function noteOfShortfalls(items: readonly EventItem[], moves: EventChange['moves']): string | null {
  const short = items.flatMap(({ sku, stock }, at) => {
    const { units } = moves[at]!;
    return units < stock ? [`${units} of ${stock} of ${sku}`] : [];
  });
  return short.length === 0 ? null : `short of stock when it opened: ${short.join(', ')}`;
}
