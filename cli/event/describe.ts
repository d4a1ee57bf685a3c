import type { RecordedOccurrence } from '../../engine/database/statements/read-occurrences.ts';
import { byStart, type SaleEvent } from '../../engine/domain/sale-event.ts';
import { alignColumns } from '../columns.ts';
import { showable } from '../showable.ts';

/** A time as the clock on this machine's wall shows it, with its offset from UTC: `2027-01-31 14:00:00 +09:00`. */
function localTime(ms: number): string {
  const date = new Date(ms);
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map(twoDigits);
  const wall = new Date(ms + minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  return `${wall} ${minutes < 0 ? '-' : '+'}${hours}:${rest}`;
}

function minutes(count: number): string {
  return count === 1 ? 'a minute' : `${count} minutes`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Those whose window is open or to come by its start, then those that are over, the last one first. */
export function nextFirst(events: readonly SaleEvent[]): SaleEvent[] {
  const isOver = ({ status }: SaleEvent) => status === 'closed' || status === 'cancelled';
  return [...events].sort(
    (a, b) => Number(isOver(a)) - Number(isOver(b)) || (isOver(a) ? byStart(b, a) : byStart(a, b)),
  );
}

/** The events as a table. */
export function describeList(events: readonly SaleEvent[]): string[] {
  if (events.length === 0) return ['no sale events'];
  const rows = events.map(({ id, status, startsAt, endsAt, occurrence, repeat, items, name }) => [
    id,
    status,
    localTime(startsAt),
    localTime(endsAt),
    repeat ? `${occurrence}, ${repeat.cron} ${repeat.timezone}` : String(occurrence),
    String(items.length),
    name,
  ]);
  return alignColumns([['ID', 'STATUS', 'STARTS', 'ENDS', 'WINDOW', 'PRODUCTS', 'NAME'], ...rows]);
}

/** One event in one line. */
export function describeEvent({ id, name, status, startsAt, endsAt }: SaleEvent): string {
  return `${id}: ${status}, ${showable(name)}, ${localTime(startsAt)} to ${localTime(endsAt)}`;
}

/** One event in full; `inPool` are the units that its pool has of each item. */
export function describeWhole(event: SaleEvent, inPool: readonly number[]): string[] {
  const { id, name, status, startsAt, endsAt, occurrence, repeat, holdSeconds, items } = event;
  const again = repeat && `${repeat.cron} (${repeat.timezone}), ${minutes(repeat.durationMinutes)} each`;
  const rows = items.map(({ sku, stock, price, limitPerUser }, at) => [
    sku,
    String(stock),
    String(price),
    limitPerUser === null ? '-' : String(limitPerUser),
    String(inPool[at]),
  ]);
  return [
    ...alignColumns([
      ['id', id],
      ['name', name],
      ['status', status],
      ['window', `${occurrence}: ${localTime(startsAt)} to ${localTime(endsAt)}`],
      ['repeats', again ?? 'never'],
      ['orders', holdSeconds === 0 ? 'placed at once' : `held for ${holdSeconds} s`],
    ]),
    '',
    ...alignColumns([['SKU', 'STOCK', 'PRICE', 'LIMIT', 'IN POOL NOW'], ...rows]),
  ];
}

/** What became of an event's windows, as a table. */
export function describeHistory(occurrences: readonly RecordedOccurrence[]): string[] {
  if (occurrences.length === 0) return ['no history yet'];
  const rows = occurrences.map(({ number, status, startsAt, endsAt, items, note }) => [
    String(number),
    status,
    localTime(startsAt.getTime()),
    localTime(endsAt.getTime()),
    ...(['allotted', 'sold', 'returned'] as const).map((figure) =>
      String(items.reduce((sum, item) => sum + item[figure], 0)),
    ),
    note ?? '',
  ]);
  return alignColumns([
    ['WINDOW', 'STATUS', 'STARTS', 'ENDS', 'ALLOTTED', 'SOLD', 'RETURNED', 'NOTE'],
    ...rows,
  ]);
}
