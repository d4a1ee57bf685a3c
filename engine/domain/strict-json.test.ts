import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findDoubledKey, findLaxJson, MAX_DEPTH } from './strict-json.ts';

const MOST = 20;

/** A document whose every spelling is known: the reference reads what was meant, the scan what was written. */
type Node =
  | { readonly kind: 'number'; readonly spelled: string; readonly whole: boolean }
  | { readonly kind: 'other'; readonly spelled: string }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly members: readonly Member[] };

interface Member {
  readonly key: string;
  readonly spelled: string;
  readonly value: Node;
}

const WHOLE = ['0', '7', '-7', '10', '-1', '123456789012345', '9007199254740991', '-9007199254740991'];
const NOT_WHOLE = [
  ...['-0', '1.0', '0.0', '-0.0', '1e3', '1E2', '1e+2', '1e-2', '1.5', '0e0', '-1.25E-7'],
  ...['9007199254740992', '-9007199254740992', '1e309', '12345678901234567890', '100000000000000000000000'],
];
const OTHERS = ['true', 'false', 'null', '""', '"1e3"', '"\\""', '"\\\\"', '"a\\\\\\"{[,:1.5"', '"\\u005c"'];
const KEYS = ['a', 'b', '', '/', '~', '"', '\\', '한', '🍵', '__proto__', '0', '1.5', '\ud83c', 'a:{'];

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ');
const number = fc.oneof(
  fc.constantFrom(...WHOLE).map((spelled): Node => ({ kind: 'number', spelled, whole: true })),
  fc.constantFrom(...NOT_WHOLE).map((spelled): Node => ({ kind: 'number', spelled, whole: false })),
);
const other = fc
  .oneof(
    fc.constantFrom(...OTHERS),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  )
  .map((spelled): Node => ({ kind: 'other', spelled }));
/** The same key as it is, or with some of its characters escaped. */
const key = fc
  .tuple(fc.constantFrom(...KEYS), fc.nat(3))
  .map(([text, way]) => ({ key: text, spelled: spell(text, way) }));

const { document } = fc.letrec<{ document: Node }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    other,
    fc.array(tie('document'), { maxLength: 4 }).map((items): Node => ({ kind: 'array', items })),
    fc.array(fc.record({ name: key, value: tie('document') }), { maxLength: 5 }).map(
      (members): Node => ({
        kind: 'object',
        members: members.map(({ name, value }) => ({ ...name, value })),
      }),
    ),
  ),
}));

function spell(text: string, way: number): string {
  if (way === 0) return JSON.stringify(text);
  const units = Array.from({ length: text.length }, (_, at) => {
    const escaped = `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
    return (at + way) % 2 === 0 ? escaped.toUpperCase().replace('\\U', '\\u') : escaped;
  });
  return `"${units.join('')}"`;
}

function write(node: Node, gap: string): string {
  const joined = (parts: string[]) => parts.map((part) => gap + part + gap).join(',');
  if (node.kind === 'array') return `[${gap}${joined(node.items.map((item) => write(item, gap)))}]`;
  if (node.kind !== 'object') return node.spelled;
  return `{${gap}${joined(node.members.map(({ spelled, value }) => `${spelled}${gap}:${gap}${write(value, gap)}`))}}`;
}

/** The first key that stands twice in one object, by the tree. */
function expectedKey(node: Node): string | null {
  if (node.kind === 'array') return firstOf(node.items.map(expectedKey));
  if (node.kind !== 'object') return null;
  return firstOf(
    node.members.flatMap(({ key: name, value }, at) => {
      const twice = node.members.findIndex((member) => member.key === name) < at;
      return [twice ? name : null, expectedKey(value)];
    }),
  );
}

const firstOf = (keys: readonly (string | null)[]) => keys.find((name) => name !== null) ?? null;

/** What is wrong, by the tree; in the order of the text. */
function expected(node: Node, path = ''): string[] {
  if (node.kind === 'number') return node.whole ? [] : [path];
  if (node.kind === 'other') return [];
  if (node.kind === 'array') return node.items.flatMap((item, at) => expected(item, `${path}/${at}`));
  return node.members.flatMap(({ key: name, value }, at) => {
    const here = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const twice = node.members.findIndex((member) => member.key === name) < at;
    return [...(twice ? [here] : []), ...expected(value, here)];
  });
}

const paths = (text: string) => findLaxJson(text, MOST).map(({ path }) => path);

test('finds what the tree that was written has, and nothing else', () => {
  fc.assert(
    fc.property(document, space, (node, gap) => {
      const text = write(node, gap);
      JSON.parse(text);
      expect(paths(text)).toEqual(expected(node).slice(0, MOST));
      expect(findDoubledKey(text)).toBe(expectedKey(node));
    }),
    { numRuns: 2_000 },
  );
});

test('lets pass whatever JSON.stringify makes of whole numbers and texts', () => {
  const leaf = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null));
  const value = fc.oneof(
    leaf,
    fc.array(leaf),
    fc.dictionary(fc.string(), leaf),
    fc.array(fc.dictionary(fc.string(), leaf)),
  );
  fc.assert(
    fc.property(value, (given) => {
      expect(paths(JSON.stringify(given, null, 1))).toEqual([]);
    }),
  );
});

describe('nesting', () => {
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  test('may be as deep as the bound', () => {
    expect(findLaxJson(deep(MAX_DEPTH), MOST)).toEqual([]);
    expect(findLaxJson(`${'{"a":'.repeat(MAX_DEPTH)}1${'}'.repeat(MAX_DEPTH)}`, MOST)).toEqual([]);
  });

  test('is named where it passes the bound, and nothing beyond is read', () => {
    const found = [{ path: '/0'.repeat(MAX_DEPTH), message: `is nested deeper than ${MAX_DEPTH}` }];
    expect(findLaxJson(deep(MAX_DEPTH + 1), MOST)).toEqual(found);
    expect(findLaxJson(`${deep(100_000).slice(0, 100_000)}1.5${']'.repeat(100_000)}`, MOST)).toEqual(found);
  });

  test('counts what is open, not what there is', () => {
    expect(findLaxJson(`[${Array(1_000).fill('[[]]').join()}]`, MOST)).toEqual([]);
  });
});

test('says what is wrong in words', () => {
  const text = '{"a":1.0,"b":9007199254740992,"a":-0}';
  expect(findLaxJson(text, MOST)).toEqual([
    { path: '/a', message: 'must be written as a whole number: digits only' },
    { path: '/b', message: 'must be at most 2^53 - 1 either way' },
    { path: '/a', message: 'stands there twice' },
    { path: '/a', message: 'must be written as a whole number: digits only' },
  ]);
});

test('a megabyte of keys, or of one key again and again, is one pass', () => {
  const keys = Array.from({ length: 60_000 }, (_, at) => `"key-${at}":1`);
  expect(findLaxJson(`{${keys.join()}}`, MOST)).toEqual([]);
  expect(findLaxJson(`{${Array(100_000).fill('"a":1').join()}}`, MOST)).toHaveLength(MOST);
});

test('a doubled key is found behind any number of fractions, at any depth', () => {
  const fractions = Array(100).fill('1.5').join();
  const deep = 100 * MAX_DEPTH;
  const text = `[${fractions},${'['.repeat(deep)}{"a":1e3,"\\u0061":-0}${']'.repeat(deep)}]`;
  expect(findDoubledKey(text)).toBe('a');
  expect(findDoubledKey(text.replace('\\u0061', 'b'))).toBeNull();
});
