import { expect, test } from 'vitest';
import { alignColumns } from './columns.ts';
import { showable } from './showable.ts';

test.each([
  ['a line end', 'a\nb'],
  ['an escape', 'a\u001bb'],
  ['a control character of the second set', 'a\u009bb'],
  ['what turns the rest around', 'a\u202eb'],
  ['an isolate', 'a\u2066b'],
  ['an Arabic letter mark', 'a\u061cb'],
  ['a separator of lines', 'a\u2028b'],
])('%s is not obeyed', (_, text) => {
  expect(showable(text)).toBe('a?b');
  expect(alignColumns([['x', text]])).toEqual(['x  a?b']);
});

test.each(['차 🍵', '👩‍👩‍👧', 'שלום', 'مرحبا', 'é', '"quoted" \\ /'])('"%s" is shown as it is', (text) => {
  expect(showable(text)).toBe(text);
});
