import { MAX_STOCK_UNITS } from './bounds.ts';
import { nextWindow, type Repeat, type Window } from './recurrence.ts';

/** `scheduled` waits for its time; `closed` and `cancelled` are final. */
export type EventStatus = 'scheduled' | 'open' | 'closed' | 'cancelled';

/** What became of one window of an event; `missed`: it passed while nobody could open it. */
export type OccurrenceStatus = 'scheduled' | 'open' | 'closed' | 'missed' | 'cancelled';

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
function windowAfter({ repeat }: SaleEvent, { endsAt }: Window, until = endsAt): Window | null {
  if (!repeat) return null;
  return nextWindow(repeat, Math.max(endsAt, until - repeat.durationMinutes * MINUTE_MS + 1));
}

/** What somebody may ask of an event. */
export type EventStep = 'open' | 'close' | 'cancel';

/** A change that is to be made: the event as it will be, what happens to stock, and the occurrences it says something of. */
export interface EventDecision {
  readonly event: SaleEvent;
  readonly action: EventAction;
  readonly occurrences: readonly Occurrence[];
}

/** A change, `already` when there is nothing to change, or why it cannot be. */
export type StepDecision =
  | ({ readonly kind: 'change' } & EventDecision)
  | { readonly kind: 'already' }
  | { readonly kind: 'impossible'; readonly reason: string };

/**
 * What `step` makes of `event` at `now` (ms since 1970). Opening before its time moves the start to now: whoever opens
 * by hand wants it open. Closing one that repeats schedules its next window; cancelling ends it for good, and closes it if
 * it is open.
 */
export function decideStep(event: SaleEvent, step: EventStep, now: number): StepDecision {
  const { status } = event;
  if (step === 'open' && status === 'open') return { kind: 'already' };
  if (step === 'close' && status === 'closed') return { kind: 'already' };
  if (step === 'cancel' && status === 'cancelled') return { kind: 'already' };
  if (step === 'open' && status === 'scheduled') {
    if (event.endsAt <= now) return { kind: 'impossible', reason: 'the event is over' };
    return { kind: 'change', ...openingOf({ ...event, startsAt: Math.min(event.startsAt, now) }) };
  }
  if (step === 'close' && status === 'open')
    return { kind: 'change', ...endingOf(event, 'closed', { now, action: 'close' }) };
  if (step === 'cancel' && (status === 'scheduled' || status === 'open')) {
    const action = status === 'open' ? 'close' : 'record';
    const cancelled = { ...event, status: 'cancelled' as const };
    return { kind: 'change', event: cancelled, action, occurrences: [occurrenceOf(event, 'cancelled')] };
  }
  return { kind: 'impossible', reason: `the event is ${status}` };
}

/** What the clock makes of an event: a change that is due, or when the next one is (null: never). */
export type DueDecision =
  | ({ readonly kind: 'change' } & EventDecision)
  | { readonly kind: 'nothing'; readonly at: number | null };

/**
 * What is due for `event` at `now` (ms since 1970): a window that has begun opens, one that is over closes, and one that
 * has passed entirely is missed: it is written down and never opened.
 */
export function decideDue(event: SaleEvent, now: number): DueDecision {
  const { status, startsAt, endsAt } = event;
  if (status === 'open') {
    if (now < endsAt) return { kind: 'nothing', at: endsAt };
    return { kind: 'change', ...endingOf(event, 'closed', { now, action: 'close' }) };
  }
  if (status !== 'scheduled') return { kind: 'nothing', at: null };
  if (now < startsAt) return { kind: 'nothing', at: startsAt };
  if (now < endsAt) return { kind: 'change', ...openingOf(event) };
  return { kind: 'change', ...endingOf(event, 'missed', { now, action: 'record' }) };
}

/** What stands in the history of an event that has just been created or changed: its window is scheduled. */
export function schedulingOf(event: SaleEvent): EventDecision {
  return { event, action: 'record', occurrences: [occurrenceOf(event, 'scheduled')] };
}

/** A change, or why it cannot be. */
export type ChangeDecision =
  | ({ readonly kind: 'change'; readonly deltas?: readonly number[] } & EventDecision)
  | { readonly kind: 'impossible'; readonly reason: string };

/** What `edit` makes of an event that is scheduled: its next window and what it offers then may become another. */
export function decideEdit(
  event: SaleEvent,
  edit: Partial<Omit<SaleEvent, 'id' | 'status' | 'occurrence'>>,
  now: number,
): ChangeDecision {
  if (event.status !== 'scheduled') return { kind: 'impossible', reason: `the event is ${event.status}` };
  const edited = { ...event, ...edit };
  if (edited.endsAt <= edited.startsAt)
    return { kind: 'impossible', reason: 'it would end before it starts' };
  if (edited.endsAt <= now) return { kind: 'impossible', reason: 'it would be over already' };
  return { kind: 'change', ...schedulingOf(edited) };
}

/**
 * What signed changes of its allotments make of an open event; all of its items stay, and `deltas` are theirs, in order. It is
 * the event's allotment from now on, of its next windows too.
 */
export function decideAdjustment(
  event: SaleEvent,
  changes: readonly { readonly sku: string; readonly delta: number }[],
): ChangeDecision {
  if (event.status !== 'open') return { kind: 'impossible', reason: `the event is ${event.status}` };
  const deltaOf = new Map(changes.map(({ sku, delta }) => [sku, delta]));
  const foreign = changes.filter(({ sku }) => !event.items.some((item) => item.sku === sku));
  if (foreign.length > 0)
    return {
      kind: 'impossible',
      reason: `the event does not carry ${foreign.map(({ sku }) => sku).join(', ')}`,
    };
  const deltas = event.items.map(({ sku }) => deltaOf.get(sku) ?? 0);
  // Below nothing it is more than its pool has: the script refuses it and says what there is.
  const items = event.items.map((item, at) => ({ ...item, stock: Math.max(0, item.stock + deltas[at]!) }));
  const out = items.find(({ stock }) => stock > MAX_STOCK_UNITS);
  if (out) return { kind: 'impossible', reason: `the allotment of ${out.sku} would be ${out.stock}` };
  return { kind: 'change', event: { ...event, items }, action: 'adjust', deltas, occurrences: [] };
}

/** As many windows as one change may tell to be missed; the rest is the next change's. */
const MISSED_OF_CHANGE = 500;

function openingOf(event: SaleEvent): EventDecision {
  const open = { ...event, status: 'open' as const };
  return { event: open, action: 'open', occurrences: [occurrenceOf(open, 'open')] };
}

/** The window is over; those after it that have passed as well are missed, and the one after that is scheduled. */
function endingOf(
  event: SaleEvent,
  ended: 'closed' | 'missed',
  { now, action }: { now: number; action: EventAction },
): EventDecision {
  const occurrences = [occurrenceOf(event, ended)];
  let next = event;
  for (;;) {
    const window = windowAfter(next, next);
    if (!window) return { event: { ...next, status: 'closed' }, action, occurrences };
    next = { ...next, ...window, status: 'scheduled', occurrence: next.occurrence + 1 };
    const isMissed = next.endsAt <= now && occurrences.length < MISSED_OF_CHANGE;
    occurrences.push(occurrenceOf(next, isMissed ? 'missed' : 'scheduled'));
    if (!isMissed) return { event: next, action, occurrences };
  }
}

function occurrenceOf({ occurrence, startsAt, endsAt }: SaleEvent, status: OccurrenceStatus): Occurrence {
  return { number: occurrence, startsAt, endsAt, status };
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
