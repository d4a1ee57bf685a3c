import type { Chart } from './svg.ts';

/** A part of the report that stands for itself, for the terminal and the page alike. */
export interface Section {
  readonly title: string;
  /** What a reader must know, a sentence each. */
  readonly notes: readonly string[];
  readonly tables: readonly SectionTable[];
  readonly charts: readonly Chart[];
}

export interface SectionTable {
  readonly columns: readonly { readonly title: string; readonly right: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

/** One column of a table of `Row`s. */
export interface RowColumn<Row> {
  readonly title: string;
  readonly right: boolean;
  cell(row: Row): string;
}

/** A table of these rows. */
export function tableOf<Row>(columns: readonly RowColumn<Row>[], rows: readonly Row[]): SectionTable {
  return { columns, rows: rows.map((row) => columns.map((column) => column.cell(row))) };
}

/** A column of text. */
export function words<Row>(title: string, cell: (row: Row) => string): RowColumn<Row> {
  return { title, right: false, cell };
}

/** A column of figures. */
export function figures<Row>(title: string, cell: (row: Row) => string): RowColumn<Row> {
  return { title, right: true, cell };
}
