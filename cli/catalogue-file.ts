import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { isSku, MAX_PRICE_MINOR_UNITS, MAX_STOCK_UNITS } from '../engine/domain/bounds.ts';
import type { ProductToPut } from '../engine/domain/product.ts';
import { CommandFailure } from './failure.ts';

const REQUIRED = ['sku', 'name', 'price'] as const;
const OPTIONAL = ['stock', 'producer', 'type', 'function', 'description'] as const;
/** `price_pence` and the like are prices too: an amount in the currency's minor unit, named. */
const PRICE_COLUMN = /^price(_[a-z]+)?$/;
const MAX_CHARACTERS = { name: 255, producer: 255, type: 64, function: 2_000, description: 10_000 } as const;
const MAX_ERRORS_SHOWN = 20;
const LINE_END = /\r\n|\n|\r/g;
/** What the decoder puts where the bytes are no UTF-8. */
const UNREADABLE = '\ufffd';

type Row = Readonly<Record<string, string>>;

/**
 * Reads a CSV file of products (UTF-8; a header with sku, name, price and maybe stock, producer, type, function,
 * description). `stockOfEach` stands in where there is no stock. Every row is checked before any is returned; a
 * `CommandFailure` names each bad one with its line.
 */
export async function readCatalogueFile(file: string, stockOfEach: number): Promise<ProductToPut[]> {
  const products: ProductToPut[] = [];
  const errors: string[] = [];
  const seen = new Map<string, number>();
  let columns: string[] | null = null;
  for await (const { cells, line } of readRows(file)) {
    if (!columns) {
      columns = readHeader(cells, line);
      continue;
    }
    const row = nameCells(columns, cells);
    const problems = row ? findProblems(row) : [`${cells.length} fields, the header has ${columns.length}`];
    const sku = row?.sku ?? '';
    const earlier = row && seen.get(sku);
    if (earlier) problems.push(`sku "${sku}" is on line ${earlier} already`);
    else if (row) seen.set(sku, line);
    if (problems.length > 0) errors.push(`line ${line}: ${problems.join(', ')}`);
    else products.push(toProduct(row!, stockOfEach));
  }
  if (!columns) throw new CommandFailure(refusal(file, ['it is empty, there is not even a header']));
  if (errors.length > 0) throw new CommandFailure(refusal(file, errors));
  return products;
}

function refusal(file: string, errors: string[]): string {
  const more = errors.length > MAX_ERRORS_SHOWN ? [`and ${errors.length - MAX_ERRORS_SHOWN} more`] : [];
  return [
    `${file} was not imported, nothing was changed:`,
    ...errors.slice(0, MAX_ERRORS_SHOWN),
    ...more,
  ].join('\n  ');
}

interface CsvRow {
  readonly cells: readonly string[];
  /** The line on which it begins; quoted text may go on over several. */
  readonly line: number;
}

/** Reads the rows that are not blank. Lines are counted here: csv-parse counts CRLF in quotes twice, and no blanks. */
async function* readRows(file: string): AsyncGenerator<CsvRow> {
  let next = 1;
  const place = ({ record: cells, raw }: { record: string[]; raw: string }): CsvRow => {
    const line = next;
    next += raw.match(LINE_END)?.length ?? 0;
    return { cells, line };
  };
  const options = { bom: true, raw: true, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'] };
  const parser = parse({ ...options, on_record: place as never });
  const source = createReadStream(file).on('error', (error) => parser.destroy(error));
  try {
    for await (const row of source.pipe(parser) as AsyncIterable<CsvRow>) {
      if (row.cells.length > 1 || row.cells[0] !== '') yield row;
    }
  } catch (error) {
    throw new CommandFailure(refusal(file, [explain(error as Error, next)]));
  }
}

function explain(error: Error, line: number): string {
  if (!(error instanceof CsvError)) return error.message;
  return `line ${line}: ${error.message.replace(/ at line \d+/, '')}`;
}

function readHeader(header: readonly string[], line: number): string[] {
  const names = header
    .map((name) => name.trim().toLowerCase())
    .map((name) => (PRICE_COLUMN.test(name) ? 'price' : name));
  const missing = REQUIRED.filter((name) => !names.includes(name));
  const known: readonly string[] = [...REQUIRED, ...OPTIONAL];
  const unknown = names.filter((name) => !known.includes(name));
  const doubled = names.filter((name, at) => names.indexOf(name) !== at);
  const problems = [
    ...missing.map((name) => `column "${name}" is missing`),
    ...unknown.map((name) => `column "${name}" is unknown (known: ${known.join(', ')})`),
    ...doubled.map((name) => `column "${name}" is there twice`),
  ];
  if (problems.length > 0)
    throw new CommandFailure(`line ${line}: ${problems.join(', ')}; nothing was changed`);
  return names;
}

function nameCells(columns: readonly string[], cells: readonly string[]): Row | null {
  if (cells.length !== columns.length) return null;
  return Object.fromEntries(columns.map((name, at) => [name, cells[at]!]));
}

function findProblems(row: Row): string[] {
  const problems: string[] = [];
  if (Object.values(row).some((cell) => cell.includes(UNREADABLE))) problems.push('not all of it is UTF-8');
  if (!isSku(row.sku ?? '')) problems.push(`sku "${row.sku}" is empty, too long or has odd characters`);
  if (!isAmount(row.price, MAX_PRICE_MINOR_UNITS))
    problems.push(`price "${row.price}" is not a whole number from 0 to ${MAX_PRICE_MINOR_UNITS}`);
  if (row.stock && !isAmount(row.stock, MAX_STOCK_UNITS))
    problems.push(`stock "${row.stock}" is not a whole number from 0 to ${MAX_STOCK_UNITS}`);
  if (!row.name) problems.push('name is empty');
  for (const [name, limit] of Object.entries(MAX_CHARACTERS)) {
    if ((row[name]?.length ?? 0) > limit) problems.push(`${name} is longer than ${limit} characters`);
  }
  return problems;
}

/** Digits only: `1e3`, `0x10`, `1.0` and ` 7 ` are no amounts. */
function isAmount(text: string | undefined, highest: number): boolean {
  return text !== undefined && /^\d{1,15}$/.test(text) && Number(text) <= highest;
}

function toProduct(row: Row, stockOfEach: number): ProductToPut {
  return {
    sku: row.sku!,
    price: Number(row.price),
    stock: row.stock ? Number(row.stock) : stockOfEach,
    details: {
      name: row.name!,
      producer: row.producer || null,
      type: row.type || null,
      function: row.function || null,
      description: row.description || null,
    },
  };
}
