import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VARIABLES, type Variable } from '../../engine/config/variables.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';

/** A row of the table: | `NAME` | default | … |, the default maybe in backticks too. */
const ROW = /^\| `([A-Z][A-Z0-9_]+)` \| ([^|]*) \|/gm;

/** Name and default of each row of README.md's table of environment variables; no default = required. */
function readTable(): [string, string | null][] {
  const readme = readFileSync(`${packageRoot}/README.md`, 'utf8');
  return Array.from(readme.matchAll(ROW), ([, name = '', cell = '']) => {
    const fallback = cell.replaceAll('`', '').trim();
    return [name, ['', '-', '–', '—', 'required'].includes(fallback) ? null : fallback];
  });
}

test('README.md lists every environment variable with its default, and no other', () => {
  const variables: [string, Variable<unknown>][] = Object.entries(VARIABLES);
  const expected = variables.map(([name, { fallback }]) => [name, fallback ?? null]);
  expect(readTable().sort()).toEqual(expected.sort());
});
