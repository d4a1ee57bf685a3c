import { beforeAll, describe, expect, test } from 'vitest';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
/** 64 characters: from that length on the driver's encoder puts U+FFFD in place of a lone surrogate. */
const STEM = 'a'.repeat(63);
const REPLACEMENT = `${STEM}\ufffd`;

/** Sends a body as it is written, so that it may hold what JSON.stringify would not make. */
function orderRaw(body: string) {
  return api.call('/api/v1/orders', { method: 'POST', token: tokenFor('mina'), body });
}

async function expectRefused(body: string, path: string): Promise<void> {
  const before = await api.state();
  const answer = await orderRaw(body);
  expectProblem(answer, 400, 'invalid_request');
  expect(answer.body.errors).toContainEqual({ path, message: expect.stringMatching(/\S/) });
  expect(await api.state()).toEqual(before);
}

beforeAll(async () => {
  await Promise.all(['tea', 'order', REPLACEMENT].map((sku) => api.put(sku, { stock: 100 })));
});

describe('P1: only whole numbers from 1 to 1,000,000 are quantities', () => {
  test.each([
    '-3',
    '0',
    '-0',
    '1.5',
    '"3"',
    'null',
    'true',
    '[1]',
    '{}',
    '1000001',
    '9007199254740992',
    '1e309',
    '-1e309',
    '1e-7',
    '"1e3"',
    '"0x10"',
    '""',
  ])('%s is refused', async (quantity) => {
    await expectRefused(`{"items":[{"sku":"tea","quantity":${quantity}}]}`, '/items/0/quantity');
  });

  test.each(['NaN', 'Infinity', '0x10', '01', '+1', '1_000'])('%s is not JSON', async (quantity) => {
    await expectRefused(`{"items":[{"sku":"tea","quantity":${quantity}}]}`, '');
  });

  test.each(['1e1', '1E1', '1e+1', '10e-1', '2.0', '1.0e1'])(
    '%s is a whole number, but not written as one: refused',
    async (quantity) => {
      await expectRefused(`{"items":[{"sku":"tea","quantity":${quantity}}]}`, '/items/0/quantity');
    },
  );

  test('a missing one is refused', () => expectRefused('{"items":[{"sku":"tea"}]}', '/items/0/quantity'));
});

describe('a SKU', () => {
  test.each(['3', 'null', '""', `"${'a'.repeat(65)}"`, '["tea"]'])('%s is refused', (sku) =>
    expectRefused(`{"items":[{"sku":${sku},"quantity":1}]}`, '/items/0/sku'),
  );

  test.each(['\\ud800', 'tea\\udc00', '\\u0000', 'tea\\u0000', '\\u001f', ' tea', 'tea '])(
    'that can name no product ("%s") is refused',
    (sku) => expectRefused(`{"items":[{"sku":"${sku}","quantity":1}]}`, '/items/0/sku'),
  );

  test('P1: two texts that are the same bytes on the wire are not checked twice against one level', async () => {
    const before = await api.stockOf(REPLACEMENT);
    const lines = `{"sku":"${REPLACEMENT}","quantity":${before}},{"sku":"${STEM}\\ud800","quantity":${before}}`;
    expectProblem(await orderRaw(`{"items":[${lines}]}`), 400, 'invalid_request');
    expect(await api.stockOf(REPLACEMENT)).toBe(before);
  });

  test.each(['__proto__', 'constructor', 'toString', '{}:', '%', '한글', '🍵'])(
    '%s is a name like any other',
    async (sku) => {
      const answer = await api.order('mina', [{ sku, quantity: 1 }]);
      expectProblem(answer, 422, 'unknown_product');
      expect(answer.body.items).toEqual([{ sku }]);
    },
  );
});

describe('the body', () => {
  const tea = '{"sku":"tea","quantity":1}';

  test.each([
    ['no items', '{}', '/items'],
    ['empty items', '{"items":[]}', '/items'],
    ['items that are no array', '{"items":{"0":1,"length":1}}', '/items'],
    ['1,001 lines', `{"items":[${Array(1_001).fill(tea)}]}`, '/items'],
    ['a line that is no object', '{"items":[null]}', '/items/0'],
    ['a member too many', `{"items":[${tea}],"userId":"jun"}`, '/userId'],
    [
      'a member too many in a line',
      '{"items":[{"sku":"tea","quantity":1,"unitPrice":1}]}',
      '/items/0/unitPrice',
    ],
    ['a __proto__ member', `{"items":[${tea}],"__proto__":{"items":[]}}`, '/__proto__'],
    ['an array', `[${tea}]`, ''],
    ['null', 'null', ''],
    ['a text', '"items"', ''],
  ])('with %s is refused', (_, body, path) => expectRefused(body, path));

  test.each([
    ['"items"', '"items"', '/items'],
    ['"items"', '"\\u0069tems"', '/items'],
  ])('with %s and %s is refused: two readers could take it for two orders', (one, other, path) =>
    expectRefused(`{${one}:[${tea}],${other}:[${tea}]}`, path),
  );

  test.each([
    ['quantity', '{"sku":"tea","quantity":1,"quantity":1}'],
    ['sku', '{"sku":"tea","quantity":1,"\\u0073ku":"order"}'],
  ])('with a line that says its %s twice is refused', (member, line) =>
    expectRefused(`{"items":[${line}]}`, `/items/0/${member}`),
  );

  test('that is nested too deeply is refused by its depth', () =>
    expectRefused(`{"items":${'['.repeat(16)}${']'.repeat(16)}}`, `/items${'/0'.repeat(15)}`));

  test('every wrong value is named, but no more than twenty', async () => {
    const two = await orderRaw('{"items":[{"sku":"","quantity":0},{"sku":"tea","quantity":1.5}]}');
    expect(two.body.errors.map(({ path }: { path: string }) => path)).toEqual([
      '/items/0/sku',
      '/items/0/quantity',
      '/items/1/quantity',
    ]);
    const many = await orderRaw(`{"items":[${Array(500).fill('{"sku":"tea","quantity":0}')}]}`);
    expect(many.body.errors).toHaveLength(20);
  });
});
