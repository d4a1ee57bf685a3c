import { expect, test } from 'vitest';
import { BadMessage, readBody } from './message.ts';

const read = (text: string) => () => readBody(Buffer.from(text));

test.each([
  ['{"orderId":"a","orderId":"b"}', 'the key "orderId" stands twice'],
  ['{"orderId":"a","order\\u0049d":"a"}', 'the key "orderId" stands twice'],
  ['{"orderId":"a","by":{"at":1.5,"at":2}}', 'the key "at" stands twice'],
  [`{"${'k'.repeat(100)}":1,"${'k'.repeat(100)}":1}`, `the key "${'k'.repeat(64)}…" stands twice`],
  ['{"\\u0007":1,"\\u0007":1}', 'the key "\\u0007" stands twice'],
])('a key that stands twice in one object is refused: %s', (text, message) => {
  expect(read(text)).toThrow(new BadMessage(message));
});

test('what is passed over may be written in any way', () => {
  const text = `{"orderId":"a","weight":1.50,"at":1e3,"none":-0,"deep":${'['.repeat(50)}${']'.repeat(50)},"by":{"orderId":"b"}}`;
  expect(read(text)()).toEqual(JSON.parse(text));
});

test('what is no JSON is said to be none, doubled keys or not', () => {
  expect(read('{"a":1,"a":1')).toThrow(/^the body is no JSON: /);
});
