import { expect, test } from 'vitest';
import { alignColumns } from './columns.ts';
import { showable } from './showable.ts';

test.each([
  ['a line end', 0xa],
  ['an escape', 0x1b],
  ['a control character of the second set', 0x9b],
  ['what turns the rest around', 0x202e],
  ['an isolate', 0x2066],
  ['an Arabic letter mark', 0x61c],
  ['a separator of lines', 0x2028],
  ['a soft hyphen', 0xad],
  ['a space of no width', 0x200b],
  ['a byte order mark', 0xfeff],
])('%s is told and not obeyed', (_, code) => {
  const shown = `a\\u{${code.toString(16)}}b`;
  expect(showable(`a${String.fromCodePoint(code)}b`)).toBe(shown);
  expect(alignColumns([['x', `a${String.fromCodePoint(code)}b`]])).toEqual([`x  ${shown}`]);
});

test.each(['차 🍵', '👩‍👩‍👧', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'שלום', 'مرحبا', 'می‌خواهم', 'é', '"quoted" \\ /'])(
  '"%s" is shown as it is',
  (text) => {
    expect(showable(text)).toBe(text);
  },
);
