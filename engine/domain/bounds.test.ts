import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isReason,
  isSku,
  isUser,
  MAX_REASON_CHARACTERS,
  MAX_SKU_CHARACTERS,
  MAX_USER_CHARACTERS,
} from './bounds.ts';

const ROUND_TRIP = (text: string) => Buffer.from(text).toString();

describe.each([
  ['a SKU', isSku, MAX_SKU_CHARACTERS],
  ['a user', isUser, MAX_USER_CHARACTERS],
])('%s', (_, isName, longest) => {
  test.each([
    'a',
    'A-1',
    '22386',
    '한글 이름',
    '🍵',
    '{}:',
    '{0}',
    '%',
    '/',
    "'",
    '"',
    '\\',
    'a b',
    '__proto__',
    'a.',
    '0',
    '-1',
    '\u200b',
    'ñ',
  ])('may be "%s"', (name) => {
    expect(isName(name)).toBe(true);
  });

  test.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a space before', ' a'],
    ['a space after', 'a '],
    ['NUL', 'a\u0000b'],
    ['a tab', 'a\tb'],
    ['a line end', 'a\n'],
    ['a carriage return', 'a\rb'],
    ['DEL', 'a\u007f'],
    ['a C1 control character', 'a\u0085b'],
    ['the first half of a pair', 'a\ud83c'],
    ['the second half of a pair', '\udf75a'],
    ['two halves the wrong way round', '\udf75\ud83c'],
  ])('may not be or have %s', (_reason, name) => {
    expect(isName(name)).toBe(false);
  });

  test('has a bounded length, in UTF-16 code units', () => {
    expect(isName('한'.repeat(longest))).toBe(true);
    expect(isName('한'.repeat(longest + 1))).toBe(false);
    expect(isName('🍵'.repeat(longest / 2))).toBe(true);
    expect(isName(`${'🍵'.repeat(longest / 2)}a`)).toBe(false);
  });

  test('P1: two different ones are different bytes, too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: longest + 2 }), (name) => {
        if (isName(name)) expect(ROUND_TRIP(name)).toBe(name);
      }),
    );
  });
});

test.each(['a', '.', ' counted ', '깨짐', '🍵', '"; --', 'a'.repeat(MAX_REASON_CHARACTERS)])(
  'a reason may be "%s"',
  (text) => {
    expect(isReason(text)).toBe(true);
  },
);

test.each(['', ' ', '\u3000', 'a\nb', '\u0000', '\u0085', '\ud83c', 'a'.repeat(MAX_REASON_CHARACTERS + 1)])(
  'a reason may not be %j',
  (text) => {
    expect(isReason(text)).toBe(false);
  },
);

test.each(['.', '..'])('a SKU may not be "%s": no path could name it', (name) => {
  expect(isSku(name)).toBe(false);
});

test('a SKU that looks the same is the same: only the composed form may name a product', () => {
  expect(isSku('\u00e9')).toBe(true);
  expect(isSku('e\u0301')).toBe(false);
});
