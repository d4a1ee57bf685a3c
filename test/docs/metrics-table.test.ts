import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASON_KINDS } from '../../engine/journal/closings.ts';
import { METRICS } from '../../engine/runtime/metrics.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';

const page = readFileSync(`${packageRoot}/docs/METRICS.md`, 'utf8');
/** | `name` | type | of | `label` | meaning | */
const ROW = /^\| `(bootakhae_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm;

test('docs/METRICS.md lists every metric as it is, and no other', () => {
  const listed = Array.from(page.matchAll(ROW), ([, name, type, of, labels, help]) => [
    name,
    { type, of: of!.split(', '), labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label), help },
  ]);
  expect(Object.fromEntries(listed)).toEqual(METRICS);
  expect(listed).toHaveLength(Object.keys(METRICS).length);
});

test('a unit comes last in a name, and a counter ends with _total', () => {
  for (const [name, { type }] of Object.entries(METRICS)) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

test('docs/METRICS.md names every kind of reason', () => {
  for (const kind of REASON_KINDS) expect(page).toContain(`\`${kind}\``);
});
