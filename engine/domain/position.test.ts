import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePositions, follows, formatPosition, ORIGIN, parsePosition } from './position.ts';

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const position = fc.record({ epoch: whole, sequence: whole });
const at = (epoch: number, sequence: number) => ({ epoch, sequence });

test('a position is read as it was written', () => {
  fc.assert(
    fc.property(position, (given) => {
      expect(parsePosition(formatPosition(given))).toEqual(given);
    }),
  );
  expect(formatPosition(at(1, 42))).toBe('1-42');
});

test.each(['', '1', '1-', '-1', '1-2-3', '-1-2', '1--2', ' 1-2', '1-2\n', '0x1-2', '1.0-2', '$', '+', '*'])(
  '"%s" is no journal id',
  (text) => {
    expect(() => parsePosition(text)).toThrow(/is not a journal id/);
  },
);

test('positions are in order of epoch, then of sequence', () => {
  const sorted = [ORIGIN, at(0, 1), at(1, 0), at(1, 9), at(1, 10), at(2, 0), at(10, 0)];
  expect([...sorted].reverse().sort(comparePositions)).toEqual(sorted);
  fc.assert(
    fc.property(position, position, (a, b) => {
      expect(Math.sign(comparePositions(a, b))).toBe(0 - Math.sign(comparePositions(b, a)));
      expect(comparePositions(a, a)).toBe(0);
    }),
  );
});

test.each([
  [ORIGIN, at(1, 0), true],
  [at(1, 4), at(1, 5), true],
  [at(1, 4), at(2, 0), true],
  [at(1, 4), at(3, 0), true],
  [at(1, 4), at(1, 4), false],
  [at(1, 4), at(1, 6), false],
  [at(1, 4), at(1, 3), false],
  [at(1, 4), at(2, 1), false],
  [at(2, 4), at(1, 5), false],
  [at(2, 4), at(1, 0), false],
])('P5: after %j comes %j: %s', (last, next, expected) => {
  expect(follows(last, next)).toBe(expected);
});
