import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeLines, totalOf } from './order.ts';

const line = fc.record({
  sku: fc.constantFrom('tea', 'cup', '__proto__', 'constructor', '1', '01', '한'),
  quantity: fc.integer({ min: 1, max: 1_000_000 }),
});

describe('lines of the same product', () => {
  test('P1: are added together, no unit lost or made', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 50 }), (lines) => {
        const merged = mergeLines(lines);
        for (const { sku, quantity } of merged) {
          const units = lines.filter((one) => one.sku === sku).map((one) => one.quantity);
          expect(quantity).toBe(units.reduce((sum, some) => sum + some, 0));
        }
        expect(merged.map(({ sku }) => sku)).toEqual([...new Set(lines.map(({ sku }) => sku))]);
      }),
    );
  });

  test('are merged once and for all, and the lines that came in stay as they were', () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const copy = structuredClone(lines);
        const merged = mergeLines(lines);
        expect(mergeLines(merged)).toEqual(merged);
        expect(lines).toEqual(copy);
      }),
    );
  });
});

test('a total is the sum of quantity times price, 0 of nothing', () => {
  const priced = (quantity: number, unitPrice: number) => ({ sku: 'a', quantity, unitPrice, eventId: null });
  expect(totalOf([])).toBe(0);
  expect(totalOf([priced(2, 300), priced(1, 0), priced(3, 7)])).toBe(621);
  expect(totalOf([priced(9_007, 10 ** 12)])).toBe(9_007_000_000_000_000);
});
