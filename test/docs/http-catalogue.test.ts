import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROBLEMS } from '../../api/http/problem.ts';
import { createRoutes, type Services } from '../../api/routes.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';

/** What README.md says of the HTTP surface is what the api serves, and the other way round. */
const readme = readFileSync(`${packageRoot}/README.md`, 'utf8');

test('README.md lists every route, and no other', () => {
  const rows = [...readme.matchAll(/^\| `(GET|POST|PUT|PATCH|DELETE) (\/[^` ]*)`/gm)];
  const listed = rows.map(([, method, path]) => `${method} ${path}`);
  const served = createRoutes({} as Services).map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
  );
  expect(listed.sort()).toEqual(served.sort());
});

test('README.md lists every problem code under its status, and no other', () => {
  const rows = [...readme.matchAll(/^\| (\d{3}(?:, \d{3})*) \| ([^|]*`[^|]*) \|/gm)];
  const listed = rows.flatMap(([, , codes]) => [...codes!.matchAll(/`(\w+)`/g)].map(([, code]) => code!));
  expect(listed.sort()).toEqual(Object.keys(PROBLEMS).sort());
  for (const [, statuses, codes] of rows) {
    for (const [, code] of codes!.matchAll(/`(\w+)`/g)) {
      expect(statuses!.split(', ').map(Number)).toContain(PROBLEMS[code as keyof typeof PROBLEMS].status);
    }
  }
});
