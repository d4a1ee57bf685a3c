/** `scheduled` waits for its time; `closed` and `cancelled` are final. */
export type EventStatus = 'scheduled' | 'open' | 'closed' | 'cancelled';

/** What a change of an event does to stock: nothing, take its allotments out of `regular`, or give the unsold back. */
export type EventAction = 'record' | 'open' | 'close';

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

/** Times in ms since 1970; orders get the event's stock from `startsAt` until just before `endsAt`. */
export interface SaleEvent {
  readonly id: string;
  readonly name: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly status: EventStatus;
  /** How long its orders are held unpaid; 0 = they are placed at once. */
  readonly holdSeconds: number;
  readonly items: readonly EventItem[];
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
      other.startsAt < event.endsAt &&
      event.startsAt < other.endsAt &&
      other.items.some(({ sku }) => skus.has(sku)),
  );
}

/** What somebody may ask of an event. */
export type EventStep = 'open' | 'close' | 'cancel';

/** A change that is to be made, `already` when there is nothing to change, or why it cannot be. */
export type StepDecision =
  | { readonly kind: 'change'; readonly event: SaleEvent; readonly action: EventAction }
  | { readonly kind: 'already' }
  | { readonly kind: 'impossible'; readonly reason: string };

/**
 * What `step` makes of `event` at `now` (ms since 1970). Opening before its time moves the start to now: whoever opens
 * by hand wants it open. Cancelling an open event closes it.
 */
export function decideStep(event: SaleEvent, step: EventStep, now: number): StepDecision {
  const wanted = ({ open: 'open', close: 'closed', cancel: 'cancelled' } as const)[step];
  if (event.status === wanted) return { kind: 'already' };
  if (step === 'open' && event.status === 'scheduled') return decideOpening(event, now);
  if (step === 'close' && event.status === 'open') return change(event, wanted, 'close');
  if (step === 'cancel' && event.status === 'scheduled') return change(event, wanted, 'record');
  if (step === 'cancel' && event.status === 'open') return change(event, wanted, 'close');
  return { kind: 'impossible', reason: `the event is ${event.status}` };
}

function decideOpening(event: SaleEvent, now: number): StepDecision {
  if (event.endsAt <= now) return { kind: 'impossible', reason: 'the event is over' };
  return change({ ...event, startsAt: Math.min(event.startsAt, now) }, 'open', 'open');
}

function change(event: SaleEvent, status: EventStatus, action: EventAction): StepDecision {
  return { kind: 'change', event: { ...event, status }, action };
}

/** An event as a change left it, and the units that the change moved into its pool, by item (negative: back). */
export interface ChangedEvent {
  readonly event: SaleEvent;
  readonly action: EventAction;
  readonly moved: readonly number[];
}

/** What can be done to an event, by the numbers of `lua/change-event.lua` and of the journal. */
export const EVENT_ACTIONS: readonly EventAction[] = ['record', 'open', 'close'];

/**
 * What an idempotency key is kept to have led to where it changed an event: `!` and the event's id, the number of the
 * action, the units moved, the event as it was then, with `|` between them. The script writes the same.
 */
export function formatEventOutcome({ event, action, moved }: ChangedEvent): string {
  return `!${event.id}|${EVENT_ACTIONS.indexOf(action)}|${moved.join(',')}|${packEvent(event)}`;
}

/** Reads what `formatEventOutcome` wrote. Throws when `outcome` is not that. */
export function parseEventOutcome(outcome: string): ChangedEvent {
  const match = /^!([^|]*)\|([012])\|([^|]*)\|(.*)$/s.exec(outcome);
  if (!match) throw new Error(`"${outcome}" is no outcome of a change of an event`);
  const [, id, action, moved, record] = match;
  return {
    event: unpackEvent(id!, record!),
    action: EVENT_ACTIONS[Number(action)]!,
    moved: moved!.split(',').map(Number),
  };
}

/** The event as JSON without its id, its members in one order: what is kept under its id. */
export function packEvent({ name, startsAt, endsAt, status, holdSeconds, items }: SaleEvent): string {
  const packed = items.map(({ sku, stock, price, limitPerUser }) => ({ sku, stock, price, limitPerUser }));
  return JSON.stringify({ name, startsAt, endsAt, status, holdSeconds, items: packed });
}

/** Reads what `packEvent` wrote. */
export function unpackEvent(id: string, packed: string): SaleEvent {
  return { id, ...(JSON.parse(packed) as Omit<SaleEvent, 'id'>) };
}
