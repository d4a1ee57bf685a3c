import { MAX_LINES_OF_ORDER } from '../../engine/domain/bounds.ts';
import type { RequestedLine } from '../../engine/domain/order.ts';

const OPENING = '{"items":[';
/** A line as `JSON.stringify` writes it, of a SKU in plain letters and of 1 to 999,999 units; then what comes next. */
const LINE = /\{"sku":"([\w.-]{1,64})","quantity":([1-9]\d{0,5})\}(,|\]\}$)/y;

/**
 * Reads the body of an order that is written as nearly all are: `{"items":[{"sku":"22423","quantity":2}]}`, without
 * blanks, in this order of keys, plain letters in its SKUs. Returns null for any other text, right or wrong: the
 * reader that checks everything and names what is wrong has to look at it. What is read here is what that one reads.
 *
 * Why: 0.6 µs for three lines against 3.2 (decoding, `JSON.parse`, the search for lax JSON, the check against the schema).
 */
export function readPlainOrder(text: string): { items: RequestedLine[] } | null {
  if (!text.startsWith(OPENING)) return null;
  const items: RequestedLine[] = [];
  LINE.lastIndex = OPENING.length;
  while (items.length < MAX_LINES_OF_ORDER) {
    const line = LINE.exec(text);
    if (!line) return null;
    items.push({ sku: line[1]!, quantity: Number(line[2]) });
    if (line[3] !== ',') return { items };
  }
  return null;
}
