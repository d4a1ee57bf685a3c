import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_PRICE_MINOR_UNITS, MAX_STOCK_UNITS } from '../engine/domain/bounds.ts';
import { readCatalogueFile } from './catalogue-file.ts';
import { CommandFailure } from './failure.ts';

const NO_DETAILS = { producer: null, type: null, function: null, description: null };
const HEADER = 'sku,name,price,stock\n';
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-catalogue-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(content: string | Buffer, stockOfEach = 0) {
  const file = join(directory, 'catalogue.csv');
  writeFileSync(file, content);
  return readCatalogueFile(file, stockOfEach);
}

/** The lines of the message that refuses the file; the first says that nothing was changed. */
async function refusal(content: string | Buffer): Promise<string[]> {
  const error = await read(content).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CommandFailure);
  const { message, exitCode } = error as CommandFailure;
  expect(message).toContain('nothing was changed');
  expect(exitCode).toBe(1);
  return message.split('\n').map((line) => line.trim());
}

describe('a good file', () => {
  test('is read in its order, absent text is null', async () => {
    const content =
      'sku,name,price,stock,producer,type,function,description\nT1,Tea,300,5,Boseong,drink,,"a, b"\nC1,Cup,0,0,,,,\n';
    expect(await read(content)).toEqual([
      {
        sku: 'T1',
        price: 300,
        stock: 5,
        details: { name: 'Tea', producer: 'Boseong', type: 'drink', function: null, description: 'a, b' },
      },
      { sku: 'C1', price: 0, stock: 0, details: { name: 'Cup', ...NO_DETAILS } },
    ]);
  });

  test('may leave stock out: then each has what the caller says, a stock of 0 stays 0', async () => {
    expect((await read('sku,name,price\na,b,1\n', 7))[0]?.stock).toBe(7);
    expect((await read(`${HEADER}a,b,1,\nc,d,1,0\n`, 7)).map(({ stock }) => stock)).toEqual([7, 0]);
  });

  test.each([
    ['with a byte order mark', `\ufeff${HEADER}한,녹차 🍵,1,2\n`],
    ['with CRLF', `${HEADER}한,녹차 🍵,1,2\n`.replaceAll('\n', '\r\n')],
    ['without an end of the last line', `${HEADER}한,녹차 🍵,1,2`],
    ['with blank lines', `\n${HEADER}\n\n한,녹차 🍵,1,2\n\n`],
    ['with quotes', `"sku","name","price","stock"\n"한","녹차 🍵","1","2"\n`],
    ['with its columns in another order', 'stock,price,name,sku\n2,1,녹차 🍵,한\n'],
    ['with a price that names its unit', `${HEADER.replace('price', 'price_pence')}한,녹차 🍵,1,2\n`],
    ['with a header in capitals', ` SKU ,Name,PRICE,Stock\n한,녹차 🍵,1,2\n`],
  ])('%s is the same', async (_, content) => {
    expect(await read(content)).toEqual([
      { sku: '한', price: 1, stock: 2, details: { name: '녹차 🍵', ...NO_DETAILS } },
    ]);
  });

  test('takes the highest amounts and the longest texts', async () => {
    const most = 10 ** 12;
    const [product] = await read(`${HEADER}${'s'.repeat(64)},${'n'.repeat(255)},${most},${most}\n`);
    expect(product).toMatchObject({ price: most, stock: most });
  });

  test('with nothing but a header has no products', async () => {
    expect(await read(HEADER)).toEqual([]);
  });
});

describe('a bad row is named with its line', () => {
  const odd = [
    '1e3',
    '0x10',
    ' 7 ',
    '1.0',
    '-1',
    '+1',
    '',
    'NaN',
    '１',
    '1_000',
    '1,000',
    '9007199254740993',
    '1000000000001',
  ];

  test.each(odd)('a price of "%s"', async (price) => {
    expect(await refusal(`${HEADER}a,b,1,1\nc,d,"${price}",1\n`)).toEqual([
      expect.anything(),
      `line 3: price "${price}" is not a whole number from 0 to ${MAX_PRICE_MINOR_UNITS}`,
    ]);
  });

  test.each(odd.filter(Boolean))('a stock of "%s"', async (stock) => {
    expect(await refusal(`${HEADER}a,b,1,"${stock}"\n`)).toEqual([
      expect.anything(),
      `line 2: stock "${stock}" is not a whole number from 0 to ${MAX_STOCK_UNITS}`,
    ]);
  });

  test.each(['', ' a', 'a ', '"a\tb"', '"a\nb"', 'a\u0000', 's'.repeat(65)])('a sku of "%s"', async (sku) => {
    expect((await refusal(`${HEADER}${sku},b,1,1\n`)).slice(1).join()).toMatch(
      /^line 2: sku ".*odd characters$/,
    );
  });

  test('no name, a name too long, a description too long', async () => {
    const rows = [`a,,1,`, `b,${'n'.repeat(256)},1,`, `c,d,1,${'n'.repeat(10_001)}`];
    expect((await refusal(`sku,name,price,description\n${rows.join('\n')}\n`)).slice(1)).toEqual([
      'line 2: name is empty',
      'line 3: name is longer than 255 characters',
      'line 4: description is longer than 10000 characters',
    ]);
  });

  test('a sku that was there before, also when that row was bad', async () => {
    expect((await refusal(`${HEADER}a,b,1,1\nc,d,1,1\na,b,1,1\nc,,x,1\nc,d,1,1\n`)).slice(1)).toEqual([
      'line 4: sku "a" is on line 2 already',
      expect.stringMatching(/^line 5: .*"c" is on line 3 already/),
      expect.stringMatching(/^line 6: sku "c" is on line/),
    ]);
  });

  test('every wrong thing of a row, every wrong row, twenty of them in full', async () => {
    expect((await refusal(`${HEADER},,x,y\n`))[1]).toMatch(
      /^line 2: sku .*, price .*, stock .*, name is empty$/,
    );
    const lines = await refusal(HEADER + Array.from({ length: 25 }, (_, at) => `s${at},n,x,1\n`).join(''));
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('and 5 more');
  });

  test.each([
    ['quoted text over several lines', `${HEADER}a,"b\nb\nb",1,1\nc,d,x,1\n`, 5],
    [
      'quoted text over several lines, in CRLF',
      `${HEADER}a,"b\nb\nb",1,1\nc,d,x,1\n`.replaceAll('\n', '\r\n'),
      5,
    ],
    ['quoted text in the bad row itself: where it begins', `${HEADER}a,"b\nb\nb",x,1\n`, 2],
    ['blank lines', `${HEADER}a,b,1,1\n\n\nc,d,x,1\n`, 5],
    ['blank lines in CRLF', `${HEADER}a,b,1,1\n\n\nc,d,x,1\n`.replaceAll('\n', '\r\n'), 5],
    ['a blank line before the header', `\n${HEADER}c,d,x,1\n`, 3],
    ['a header over two lines', 'sku,name,"price\n",stock\nc,d,x,1\n', 3],
    [
      'thousands of rows',
      `${HEADER}${Array.from({ length: 5_000 }, (_, at) => `s${at},"n\n",1,1\n`).join('')}c,d,x,1\n`,
      10_002,
    ],
    [
      'rows of every length in CRLF, so that some end where a chunk of the file ends',
      `${HEADER}${Array.from({ length: 5_000 }, (_, at) => `s${at},${'n'.repeat(1 + (at % 97))},1,1\n`).join('')}c,d,x,1\n`.replaceAll(
        '\n',
        '\r\n',
      ),
      5_002,
    ],
  ])('counted right after %s', async (_, content, line) => {
    expect((await refusal(content))[1]).toMatch(new RegExp(`^line ${line}: price`));
  });

  test.each([
    ['too many fields', 'a,b,1,1,1'],
    ['too few fields', 'a,b,1'],
    ['a quote that never ends', 'a,"b,1,1'],
    ['a quote inside', 'a,b"b,1,1'],
  ])('%s', async (_, row) => {
    expect((await refusal(`${HEADER}x,y,1,1\n${row}\n`)).join()).toMatch(/line 3/);
  });

  test('text that is not UTF-8', async () => {
    const latin1 = Buffer.from(`${HEADER}a,b,1,1\nc,caf\u00e9,1,1\n`, 'latin1');
    expect((await refusal(latin1)).join()).toMatch(/line 3: .*UTF-8/);
  });
});

describe('a bad header is refused as a whole', () => {
  test.each([
    ['sku,name\na,b\n', 'column "price" is missing'],
    ['name,price,stock\na,1,1\n', 'column "sku" is missing'],
    ['sku,name,price,colour\na,b,1,red\n', 'column "colour" is unknown'],
    ['sku,name,price,sku\na,b,1,a\n', 'column "sku" is there twice'],
    ['sku,name,price,price_won\na,b,1,1\n', 'column "price" is there twice'],
    ['a,b,1\n', 'column "sku" is missing'],
  ])('%s', async (content, reason) => {
    expect((await refusal(content)).join()).toMatch(new RegExp(`line 1.*${reason}`));
  });

  test.each(['', '\n', '\ufeff', '\r\n\r\n'])(
    'that is not there at all: an empty file (%j)',
    async (content) => {
      expect((await refusal(content)).join()).toMatch(/empty|missing/);
    },
  );
});

test('a file that is not there, and a folder, are refused by name', async () => {
  for (const file of [join(directory, 'missing.csv'), directory]) {
    await expect(readCatalogueFile(file, 0)).rejects.toThrow(CommandFailure);
    await expect(readCatalogueFile(file, 0)).rejects.toThrow(file);
  }
});
