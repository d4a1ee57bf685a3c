import { nextWindow, type Repeat, type Window } from './recurrence.ts';

/** `scheduled` waits for its time; `closed` and `cancelled` are final. */
export const EVENT_STATUSES = ['scheduled', 'open', 'closed', 'cancelled'] as const;

export type EventStatus = (typeof EVENT_STATUSES)[number];

/** What became of one window of an event; `missed`: it passed while nobody could open it. */
export const OCCURRENCE_STATUSES = ['scheduled', 'open', 'closed', 'missed', 'cancelled'] as const;

export type OccurrenceStatus = (typeof OCCURRENCE_STATUSES)[number];

/**
 * What a change of an event does to stock: nothing, take its allotments out of `regular`, give the unsold back, or move
 * some more of an open one's allotments, either way.
 */
export type EventAction = 'record' | 'open' | 'close' | 'adjust';

/** One window of an event, and what became of it; `number` counts them from 1. */
export interface Occurrence extends Window {
  readonly number: number;
  readonly status: OccurrenceStatus;
}

/**
 * What an event offers of one SKU: `stock` is its allotment in units, `price` in minor units of the currency,
 * `limitPerUser` the most units that one customer may have in live orders, null = as many as there are.
 */
export interface EventItem {
  readonly sku: string;
  readonly stock: number;
  readonly price: number;
  readonly limitPerUser: number | null;
}

/**
 * Times in ms since 1970; orders get the event's stock from `startsAt` until just before `endsAt`. Of an event that repeats
 * these are the window that is open, or else the next one, and `occurrence` is its number.
 */
export interface SaleEvent {
  readonly id: string;
  readonly name: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly status: EventStatus;
  /** How long its orders are held unpaid; 0 = they are placed at once. */
  readonly holdSeconds: number;
  readonly items: readonly EventItem[];
  readonly repeat: Repeat | null;
  readonly occurrence: number;
}

/** All sale events there are, and how often they were changed so far: whoever changes one names it. */
export interface EventBook {
  readonly revision: number;
  readonly events: ReadonlyMap<string, SaleEvent>;
}

/** Orders events by their start; of those that start at once by their id. */
export function byStart(
  a: Pick<SaleEvent, 'startsAt' | 'id'>,
  b: Pick<SaleEvent, 'startsAt' | 'id'>,
): number {
  if (a.startsAt !== b.startsAt) return a.startsAt - b.startsAt;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

/** The other events that have one of `event`'s SKUs at one of its times, of those that are still to come or open. */
export function overlapsOf(event: SaleEvent, others: Iterable<SaleEvent>): SaleEvent[] {
  const skus = new Set(event.items.map(({ sku }) => sku));
  return [...others].filter(
    (other) =>
      other.id !== event.id &&
      (other.status === 'scheduled' || other.status === 'open') &&
      other.items.some(({ sku }) => skus.has(sku)) &&
      doMeet(event, other),
  );
}

/**
 * How many windows of two events are held against each other: half a year of daily ones at least, whatever the other is. Two that meet
 * later still cannot both open: the second finds its products taken.
 */
const WINDOWS_COMPARED = 366;
const MINUTE_MS = 60_000;

function doMeet(one: SaleEvent, other: SaleEvent): boolean {
  let [a, b]: (Window | null)[] = [one, other];
  for (let compared = 0; a && b && compared < WINDOWS_COMPARED; compared++) {
    if (a.startsAt < b.endsAt && b.startsAt < a.endsAt) return true;
    if (a.endsAt <= b.startsAt) a = windowAfter(one, a, b.startsAt);
    else b = windowAfter(other, b, a.startsAt);
  }
  return false;
}

/** The next window that lasts until after `until`: of one that comes every minute all before that are passed over at once. */
export function windowAfter({ repeat }: SaleEvent, { endsAt }: Window, until = endsAt): Window | null {
  if (!repeat) return null;
  return nextWindow(repeat, Math.max(endsAt, until - repeat.durationMinutes * MINUTE_MS + 1));
}

/** An event as a change left it, and the units that the change moved into its pool, by item (negative: back). */
export interface ChangedEvent {
  readonly event: SaleEvent;
  readonly action: EventAction;
  readonly moved: readonly number[];
}

/** What can be done to an event, by the numbers of `lua/change-event.lua` and of the journal. */
export const EVENT_ACTIONS: readonly EventAction[] = ['record', 'open', 'close', 'adjust'];

/**
 * What an idempotency key is kept to have led to where it changed an event: `!` and the event's id, the number of the
 * action, the units moved, the event as it was then, with `|` between them. The script writes the same.
 */
export function formatEventOutcome({ event, action, moved }: ChangedEvent): string {
  return `!${event.id}|${EVENT_ACTIONS.indexOf(action)}|${moved.join(',')}|${packEvent(event)}`;
}

/** Reads what `formatEventOutcome` wrote. Throws when `outcome` is not that. */
export function parseEventOutcome(outcome: string): ChangedEvent {
  const match = /^!([^|]*)\|([0123])\|([^|]*)\|(.*)$/s.exec(outcome);
  if (!match) throw new Error(`"${outcome}" is no outcome of a change of an event`);
  const [, id, action, moved, record] = match;
  return {
    event: unpackEvent(id!, record!),
    action: EVENT_ACTIONS[Number(action)]!,
    moved: moved!.split(',').map(Number),
  };
}

/** The event as JSON without its id, its members in one order: what is kept under its id. */
export function packEvent(event: SaleEvent): string {
  const { name, startsAt, endsAt, status, holdSeconds, items, repeat, occurrence } = event;
  const packed = items.map(({ sku, stock, price, limitPerUser }) => ({ sku, stock, price, limitPerUser }));
  const again = repeat && {
    cron: repeat.cron,
    timezone: repeat.timezone,
    durationMinutes: repeat.durationMinutes,
  };
  return JSON.stringify({
    name,
    startsAt,
    endsAt,
    status,
    holdSeconds,
    items: packed,
    repeat: again,
    occurrence,
  });
}

/** Reads what `packEvent` wrote. Events of before they could repeat have neither `repeat` nor `occurrence`. */
export function unpackEvent(id: string, packed: string): SaleEvent {
  const read = JSON.parse(packed) as Omit<SaleEvent, 'id' | 'repeat' | 'occurrence'>;
  return { id, repeat: null, occurrence: 1, ...read };
}
