import { type Command, InvalidArgumentError } from 'commander';

interface ItemOption {
  readonly sku: string;
  readonly stock: number;
  readonly price: number;
  readonly limitPerUser: number | null;
}

/** What an event is to be, as options say it. */
export interface DraftOptions {
  readonly name?: string;
  readonly starts?: string;
  readonly ends?: string;
  readonly item?: readonly ItemOption[];
  readonly holdSeconds?: number;
  readonly cron?: string;
  readonly timezone?: string;
  readonly minutes?: number;
  readonly once?: boolean;
}

/** Adds the options that say what an event is to be. */
export function addDraftOptions(command: Command): Command {
  return command
    .option('--name <text>')
    .option('--starts <time>', 'RFC 3339, such as 2027-01-31T14:00:00+09:00')
    .option('--ends <time>')
    .option(
      '--item <sku:stock:price[:limit]>',
      'a product, the units for the event, its price in it, the most that one customer may have; once for each',
      collectItems,
    )
    .option('--hold-seconds <seconds>', 'how long its orders are held unpaid; 0: not at all', readWholeNumber)
    .option(
      '--cron <pattern>',
      'when it comes again: minute, hour, day of month, month, day of week; or six fields, the second first',
    )
    .option('--timezone <name>', 'of the pattern, such as Asia/Seoul')
    .option('--minutes <count>', 'how long each occurrence lasts', readWholeNumber);
}

/** The JSON of the contract's shape that the options stand for, with what was given only. */
export function bodyOfOptions(options: DraftOptions): Record<string, unknown> {
  const { name, starts: startsAt, ends: endsAt, item: items, holdSeconds } = options;
  const repeat = repeatOf(options);
  const body = { name, startsAt, endsAt, repeat, holdSeconds, items };
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

function repeatOf({ cron, timezone, minutes: durationMinutes, once }: DraftOptions): unknown {
  if (once) return null;
  if (cron === undefined && timezone === undefined && durationMinutes === undefined) return undefined;
  return { cron, timezone, durationMinutes };
}

const OPTIONS: Readonly<Record<string, string>> = {
  '/name': '--name',
  '/startsAt': '--starts',
  '/endsAt': '--ends',
  '/holdSeconds': '--hold-seconds',
  '/repeat/cron': '--cron',
  '/repeat/timezone': '--timezone',
  '/repeat/durationMinutes': '--minutes',
};

/** The option that says what stands at a path of the JSON. */
export function optionOf(path: string): string {
  const item = /^\/items\/(\d+)/.exec(path);
  if (item) return `--item ${Number(item[1]) + 1}${path.slice(item[0].length).replace('/', ', ')}`;
  return OPTIONS[path] ?? (path === '/items' ? '--item' : path);
}

/** Read from the right: a SKU may have colons. Where its own end looks like a number, a colon at the end says that there is no limit. */
const ITEM = /^(.+?):(\d{1,15}):(\d{1,15})(?::(\d{0,15}))?$/;

function collectItems(text: string, others: readonly ItemOption[] = []): ItemOption[] {
  const match = ITEM.exec(text);
  if (!match) throw new InvalidArgumentError('expected SKU:STOCK:PRICE or SKU:STOCK:PRICE:LIMIT');
  const [, sku = '', stock, price, limit] = match;
  const limitPerUser = limit ? Number(limit) : null;
  return [...others, { sku, stock: Number(stock), price: Number(price), limitPerUser }];
}

/** Its bounds are looked at with the rest. */
function readWholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number');
}
