import {
  EVENT_ACTIONS,
  type EventAction,
  type EventItem,
  OCCURRENCE_STATUSES,
  type Occurrence,
  type OccurrenceStatus,
  type SaleEvent,
  unpackEvent,
} from '../domain/sale-event.ts';
import { DamagedEntry, isTokenOrNothing, must } from './damage.ts';

/** A sale event as it is from now on, and the units that went into its pools from `regular` (negative: back). */
export interface EventChange {
  readonly event: SaleEvent;
  readonly action: EventAction;
  /** One an item, also where nothing moved. */
  readonly moves: readonly { readonly sku: string; readonly units: number }[];
  /** The token of its idempotency key, or null. */
  readonly token: string | null;
  /** What became of the event's windows. */
  readonly occurrences: readonly Occurrence[];
  /** Why it was adjusted, or null. */
  readonly reason: string | null;
}

/** Entries that were written before events had occurrences are shorter. */
export type PackedEvent = [
  id: string,
  record: string,
  action: number,
  moves: (string | number)[],
  token: string,
  history?: (string | number)[],
  reason?: string,
];

const STATUSES: readonly unknown[] = OCCURRENCE_STATUSES;

/** Reads what follows the head of an entry of the kind `events`. Throws `DamagedEntry`. */
export function readEventChange(packed: PackedEvent, where: string): EventChange {
  const [id, record, number, moves, token, history = [], reason = ''] = packed;
  const action = EVENT_ACTIONS[number];
  if (!action) throw new DamagedEntry(`${where} is damaged: it does ${number} to its event`);
  must(typeof id === 'string' && typeof record === 'string', where, 'its event has no id or no record');
  must(Array.isArray(moves) && moves.length % 2 === 0, where, 'the moves of its event are no pairs');
  must(isTokenOrNothing(token), where, 'the idempotency token of its event is none');
  must(typeof reason === 'string', where, 'the reason of its adjustment is no text');
  const event = readRecord(id, record, where);
  return {
    event,
    action,
    token: token || null,
    reason: reason || null,
    occurrences: readHistory(history, where),
    moves: Array.from({ length: moves.length / 2 }, (_, at) => {
      const [sku, units] = [moves[2 * at], moves[2 * at + 1]];
      must(typeof sku === 'string' && Number.isSafeInteger(units), where, 'a move of its event is damaged');
      return { sku: sku as string, units: units as number };
    }),
  };
}

function readRecord(id: string, record: string, where: string): SaleEvent {
  try {
    const event = unpackEvent(id, record);
    must(isSoundEvent(event), where, 'the record of its event is no event');
    return event;
  } catch (error) {
    if (error instanceof DamagedEntry) throw error;
    throw new DamagedEntry(`${where} is damaged: the record of its event is no JSON`);
  }
}

function readHistory(flat: (string | number)[], where: string): Occurrence[] {
  must(Array.isArray(flat) && flat.length % 4 === 0, where, 'the occurrences of its event are no fours');
  return Array.from({ length: flat.length / 4 }, (_, at) => {
    const [number, startsAt, endsAt, status] = flat.slice(4 * at, 4 * at + 4);
    must(
      [number, startsAt, endsAt].every(Number.isSafeInteger) && STATUSES.includes(status),
      where,
      'an occurrence of its event is damaged',
    );
    return {
      number: number as number,
      startsAt: startsAt as number,
      endsAt: endsAt as number,
      status: status as OccurrenceStatus,
    };
  });
}

function isSoundEvent(event: SaleEvent): boolean {
  const { name, startsAt, endsAt, status, holdSeconds, items, repeat, occurrence } = event;
  return (
    typeof name === 'string' &&
    typeof status === 'string' &&
    [startsAt, endsAt, holdSeconds, occurrence].every(Number.isSafeInteger) &&
    (repeat === null || isSoundRepeat(repeat)) &&
    Array.isArray(items) &&
    items.every(isSoundItem)
  );
}

function isSoundRepeat({ cron, timezone, durationMinutes }: NonNullable<SaleEvent['repeat']>): boolean {
  return typeof cron === 'string' && typeof timezone === 'string' && Number.isSafeInteger(durationMinutes);
}

function isSoundItem({ sku, stock, price, limitPerUser }: EventItem): boolean {
  const limits = limitPerUser === null ? [] : [limitPerUser];
  return typeof sku === 'string' && [stock, price, ...limits].every(Number.isSafeInteger);
}
