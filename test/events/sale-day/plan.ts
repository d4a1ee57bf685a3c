import { readProductRows } from '../../fixtures/shop-data.ts';

/** One sale of the day, as it is asked for: its first window in seconds from the opening of the day. */
export interface PlannedEvent {
  readonly name: string;
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  readonly holdSeconds: number;
  readonly repeats: boolean;
  readonly items: readonly PlannedItem[];
}

export interface PlannedItem {
  readonly sku: string;
  readonly stock: number;
  readonly price: number;
  readonly limitPerUser: number | null;
}

/** What the shop has of everything when the day begins. */
export const STOCK_OF_EACH = 200_000;
/** What it has of the items of the event that is short: less than their allotment. */
export const SHORT_STOCK = 900;
const SHORT_ALLOTMENT = 2_000;

/** The items that most of the real baskets ask for, a few for each event; none is in two. */
const REPEATING = ['23084', '22086', '23355'];
const HELD = ['22910', '23344', '85123A'];
export const SHORT = ['85099B', '22197', '22578'];

const itemsOf = (skus: readonly string[], item: Omit<PlannedItem, 'sku'>) =>
  skus.map((sku) => ({ sku, ...item }));

/**
 * The day: the first window of the one that repeats is short, its next ones follow every minute. Prices are none that the shop
 * has, so that an order's line tells which of them it was sold at.
 */
export const EVENTS: readonly PlannedEvent[] = [
  {
    ...{ name: 'repeating', fromSeconds: 0, untilSeconds: 14, holdSeconds: 0, repeats: true },
    items: itemsOf(REPEATING, { stock: 40_000, price: 7_000_001, limitPerUser: 60 }),
  },
  {
    ...{ name: 'held', fromSeconds: 4, untilSeconds: 40, holdSeconds: 2, repeats: false },
    items: itemsOf(HELD, { stock: 40_000, price: 7_000_002, limitPerUser: null }),
  },
  {
    ...{ name: 'short', fromSeconds: 8, untilSeconds: 50, holdSeconds: 0, repeats: false },
    items: itemsOf(SHORT, { stock: SHORT_ALLOTMENT, price: 7_000_003, limitPerUser: 24 }),
  },
];

/** When the second window of the repeating event begins; its third follows a minute later. */
export const REPEATS_AT_SECONDS = 20;
export const THIRD_AT_SECONDS = REPEATS_AT_SECONDS + 60;

/** The shop's products as a file to import, with the day's stock. */
export function catalogueFile(): string {
  const rows = readProductRows().map(
    ({ sku, rest }) => `${sku},${rest},${SHORT.includes(sku) ? SHORT_STOCK : STOCK_OF_EACH}`,
  );
  return ['sku,name,price_pence,stock', ...rows].join('\n');
}

/** What is asked of the api for an event of the day that opens at `dayMs` (a whole second, ms since 1970). */
export function bodyOf({ fromSeconds, untilSeconds, repeats, ...event }: PlannedEvent, dayMs: number) {
  const at = (seconds: number) => new Date(dayMs + 1_000 * seconds).toISOString();
  const second = new Date(dayMs + 1_000 * REPEATS_AT_SECONDS).getUTCSeconds();
  const repeat = { cron: `${second} * * * * *`, timezone: 'UTC', durationMinutes: 1 };
  return {
    ...event,
    startsAt: at(fromSeconds),
    endsAt: at(untilSeconds),
    repeat: repeats ? repeat : null,
  };
}
