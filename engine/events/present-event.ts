import type { RecordedOccurrence } from '../database/statements/read-occurrences.ts';
import type { SaleEvent } from '../domain/sale-event.ts';

/** A sale event as outsiders see it: the contract's members, times RFC 3339; `occurrence` is the number of the window shown. */
export function presentEvent(event: SaleEvent) {
  const { id, name, startsAt, endsAt, repeat, status, holdSeconds, items, occurrence } = event;
  const times = { startsAt: new Date(startsAt).toISOString(), endsAt: new Date(endsAt).toISOString() };
  return { id, name, ...times, repeat, status, holdSeconds, items, occurrence };
}

/** What became of one window of an event, as outsiders see it. */
export function presentOccurrence(recorded: RecordedOccurrence) {
  const { number, startsAt, endsAt, status, openedAt, closedAt, note, items } = recorded;
  return {
    occurrence: number,
    startsAt: startsAt.toISOString(),
    endsAt: endsAt.toISOString(),
    status,
    openedAt: openedAt?.toISOString() ?? null,
    closedAt: closedAt?.toISOString() ?? null,
    note,
    items,
  };
}
