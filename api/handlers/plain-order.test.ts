import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBodyReader } from '../http/body.ts';
import { OrderBody } from './place-order.ts';
import { readPlainOrder } from './plain-order.ts';

/** The reader that checks everything, without the short way. */
const readOrder = createBodyReader(OrderBody);

function readFully(text: string): unknown {
  return readOrder('application/json', Buffer.from(text));
}

const sku = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[\w.-]{1,64}$/) },
  fc.constantFrom(
    '',
    ' ',
    'a b',
    ' a',
    'é',
    '"',
    '\\',
    'a\u0000',
    '\ud800',
    'x'.repeat(64),
    'x'.repeat(65),
    '.',
  ),
);
const quantity = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 1_000_000 }) },
  fc.constantFrom<unknown>(0, -1, 1.5, 1_000_000, 1_000_001, 2 ** 53, '3', null, [], {}),
);
const line = fc.record({ sku, quantity });
const body = fc.record({ items: fc.array(line, { maxLength: 6 }) }).map((order) => JSON.stringify(order));

/** A right body with something put in or taken out anywhere. */
const damaged = fc
  .tuple(
    body,
    fc.nat(),
    fc.nat({ max: 3 }),
    fc.constantFrom('', ' ', ',', '"', '0', '-', '.', 'e', '}', ']', '\u00e9'),
  )
  .map(([text, at, removed, added]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + added + text.slice(place + removed);
  });

test('what the short way reads is what the reader that checks everything reads', () => {
  let short = 0;
  fc.assert(
    fc.property(fc.oneof(body, damaged), (text) => {
      const plain = readPlainOrder(text);
      if (plain === null) return;
      short += 1;
      expect(plain).toEqual(readFully(text));
    }),
    { numRuns: 5_000 },
  );
  expect(short, 'bodies that went the short way').toBeGreaterThan(500);
});

test('goes the short way for a body as JSON.stringify writes it, and for no more than 1,000 lines', () => {
  const order = (lines: number) =>
    JSON.stringify({
      items: Array.from({ length: lines }, (_, at) => ({ sku: `s-${at}`, quantity: at + 1 })),
    });
  expect(readPlainOrder(order(1_000))).toEqual(JSON.parse(order(1_000)));
  expect(readPlainOrder(order(1_001))).toBeNull();
  expect(readPlainOrder('{"items":[]}')).toBeNull();
});
