import { MAX_STOCK_UNITS } from './bounds.ts';
import {
  type EventAction,
  type Occurrence,
  type OccurrenceStatus,
  type SaleEvent,
  windowAfter,
} from './sale-event.ts';

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
  | ({ readonly kind: 'change' } & EventDecision)
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

export type AdjustmentDecision =
  | ({ readonly kind: 'change'; readonly deltas: readonly number[] } & EventDecision)
  | { readonly kind: 'impossible'; readonly reason: string }
  | { readonly kind: 'not_carried'; readonly skus: readonly string[] };

/**
 * What signed changes of its allotments make of an open event; all of its items stay, and `deltas` are theirs, in order. It is
 * the event's allotment from now on, of its next windows too. `not_carried` names the products that the event does not have.
 */
export function decideAdjustment(
  event: SaleEvent,
  changes: readonly { readonly sku: string; readonly delta: number }[],
): AdjustmentDecision {
  if (event.status !== 'open') return { kind: 'impossible', reason: `the event is ${event.status}` };
  const deltaOf = new Map(changes.map(({ sku, delta }) => [sku, delta]));
  const foreign = changes
    .map(({ sku }) => sku)
    .filter((sku) => !event.items.some((item) => item.sku === sku));
  if (foreign.length > 0) return { kind: 'not_carried', skus: foreign };
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
