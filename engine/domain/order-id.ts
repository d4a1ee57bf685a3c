import type { Position } from './position.ts';

/**
 * An order's id is its place in the journal: epoch, sequence of the entry, index within the entry. So an order can
 * be found before MariaDB has it without keeping anything per order in Redis, two orders cannot share an id, and
 * new rows go to the end of MariaDB's clustered index.
 *
 * 16 characters of Crockford's base 32 (https://www.crockford.com/base32.html): 4 for the epoch, 9 for the
 * sequence, 3 for the index. Fixed widths, so ids sort as the orders were decided.
 */
export interface OrderPlace extends Position {
  readonly index: number;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const EPOCH_WIDTH = 4;
const SEQUENCE_WIDTH = 9;
const INDEX_WIDTH = 3;
const PATTERN = new RegExp(`^[${ALPHABET}]{${EPOCH_WIDTH + SEQUENCE_WIDTH + INDEX_WIDTH}}$`);

/** The id of the order at `place`. Throws when a part does not fit its width. */
export function formatOrderId(place: OrderPlace): string {
  return (
    encode(place.epoch, EPOCH_WIDTH) +
    encode(place.sequence, SEQUENCE_WIDTH) +
    encode(place.index, INDEX_WIDTH)
  );
}

/** The place that an order id names, or null when `id` is no order id. */
export function parseOrderId(id: string): OrderPlace | null {
  if (!PATTERN.test(id)) return null;
  return {
    epoch: decode(id.slice(0, EPOCH_WIDTH)),
    sequence: decode(id.slice(EPOCH_WIDTH, EPOCH_WIDTH + SEQUENCE_WIDTH)),
    index: decode(id.slice(EPOCH_WIDTH + SEQUENCE_WIDTH)),
  };
}

/** A place as the scripts spell it: `epoch-sequence-index`. */
export function formatPlace({ epoch, sequence, index }: OrderPlace): string {
  return `${epoch}-${sequence}-${index}`;
}

/** Reads what `formatPlace` wrote. Throws when `text` is not that. */
export function parsePlace(text: string): OrderPlace {
  const match = /^(\d+)-(\d+)-(\d+)$/.exec(text);
  if (!match) throw new Error(`"${text}" is no place of an order: expected epoch-sequence-index`);
  return { epoch: Number(match[1]), sequence: Number(match[2]), index: Number(match[3]) };
}

function encode(value: number, width: number): string {
  let text = '';
  let rest = value;
  for (let at = 0; at < width; at++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  if (rest !== 0 || !Number.isInteger(value))
    throw new Error(`${value} does not fit ${width} characters of an order id`);
  return text;
}

function decode(text: string): number {
  let value = 0;
  for (const character of text) value = value * 32 + ALPHABET.indexOf(character);
  return value;
}
