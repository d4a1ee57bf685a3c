import { expect, test } from 'vitest';
import { alignColumns, widthOf } from './columns.ts';

test.each([
  ['', 0],
  ['tea', 3],
  ['한국어', 6],
  ['한국어'.normalize('NFD'), 6],
  ['ＦＵＬＬ', 8],
  ['日本、', 6],
  ['é', 1],
  ['é'.normalize('NFD'), 1],
  ['🍵', 2],
  ['👩‍👩‍👧', 2],
  ['שלום', 4],
])('"%s" takes %i columns', (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test('columns stand below each other whatever is in them', () => {
  const rows = [
    ['SKU', 'POOL', 'AVAILABLE'],
    ['한국어상품', 'regular', '5'],
    ['a-long-enough-sku', '🍵', '70'],
  ];
  expect(alignColumns(rows)).toEqual([
    'SKU                POOL     AVAILABLE',
    '한국어상품         regular  5',
    'a-long-enough-sku  🍵       70',
  ]);
});
