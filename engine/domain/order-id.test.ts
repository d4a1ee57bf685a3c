import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatOrderId, type OrderPlace, parseOrderId } from './order-id.ts';

const HIGHEST = { epoch: 32 ** 4 - 1, sequence: 32 ** 9 - 1, index: 32 ** 3 - 1 };

const place: fc.Arbitrary<OrderPlace> = fc.record({
  epoch: fc.integer({ min: 0, max: HIGHEST.epoch }),
  sequence: fc.integer({ min: 0, max: HIGHEST.sequence }),
  index: fc.integer({ min: 0, max: HIGHEST.index }),
});

function compare(a: OrderPlace, b: OrderPlace): number {
  return Math.sign(a.epoch - b.epoch || a.sequence - b.sequence || a.index - b.index);
}

describe('an order id', () => {
  test('P4: names one place, and every place has one', () => {
    fc.assert(
      fc.property(place, (given) => {
        expect(parseOrderId(formatOrderId(given))).toEqual(given);
      }),
    );
  });

  test('has 16 characters of the alphabet', () => {
    fc.assert(
      fc.property(place, (given) => {
        expect(formatOrderId(given)).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
      }),
    );
  });

  test('sorts as the orders were decided', () => {
    const near = fc.record({
      epoch: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 0, max: 70 }),
      index: fc.integer({ min: 0, max: 70 }),
    });
    fc.assert(
      fc.property(fc.oneof(place, near), fc.oneof(place, near), (a, b) => {
        const [idA, idB] = [formatOrderId(a), formatOrderId(b)];
        expect(idA < idB ? -1 : Number(idA > idB)).toBe(compare(a, b));
      }),
    );
  });

  test.each([
    [{ epoch: 0, sequence: 0, index: 0 }, '0000000000000000'],
    [{ epoch: 1, sequence: 42, index: 33 }, '000100000001A011'],
    [HIGHEST, 'ZZZZZZZZZZZZZZZZ'],
  ])('%j is %s: ids in place depend on it', (given, id) => {
    expect(formatOrderId(given)).toBe(id);
    expect(parseOrderId(id)).toEqual(given);
  });

  test.each(['epoch', 'sequence', 'index'] as const)(
    'has no room for a higher %s, and does not wrap',
    (part) => {
      expect(() => formatOrderId({ ...HIGHEST, [part]: HIGHEST[part] + 1 })).toThrow(/does not fit/);
    },
  );

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('is not made of %d', (value) => {
    expect(() => formatOrderId({ epoch: 1, sequence: value, index: 0 })).toThrow();
  });

  test('nothing else is one', () => {
    const others = [
      '',
      '0',
      '00010000000010',
      '00010000000010000',
      '000100000000100I',
      '000100000000100l',
      ' 000100000000100',
    ];
    for (const text of [...others, '000100000000100\n', '0001000000001000\n'])
      expect(parseOrderId(text)).toBeNull();
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[0-9A-HJKMNP-TV-Z]{16}$/.test(text));
        expect(parseOrderId(text)).toBeNull();
      }),
    );
  });
});
