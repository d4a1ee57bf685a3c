import { COLUMNS } from './columns.ts';
import type { Ratio } from './ratios.ts';
import type { Report } from './report.ts';
import type { Section } from './section.ts';
import { sectionsOf } from './sections.ts';

/** The report as text for a terminal. */
export function renderTerminal(report: Report): string {
  const compared = report.runs.length > 0 ? renderComparison(report) : [];
  const sections = sectionsOf(report).flatMap(renderSection);
  return [...compared, ...sections, ...report.remarks].join('\n');
}

function renderComparison(report: Report): string[] {
  const runs = report.runs.map((run) => COLUMNS.map((column) => column.cell(run)));
  const flaws = report.runs.flatMap((run) =>
    run.invalid.map((flaw) => `INVALID ${run.spec.strategy}, ${run.spec.scenario}: ${flaw}`),
  );
  return [
    table(
      COLUMNS.map(({ title }) => title),
      runs,
      COLUMNS.map(({ right }) => right),
    ),
    ...flaws,
    '',
    table(['ratio', 'target', 'reached', 'rounds', ''], report.ratios.map(ratioRow), [
      false,
      true,
      true,
      true,
      false,
    ]),
    '',
  ];
}

function renderSection({ title, notes, tables }: Section): string[] {
  const rendered = tables.map(({ columns, rows }) =>
    table(
      columns.map((column) => column.title),
      rows,
      columns.map(({ right }) => right),
    ),
  );
  return [title, ...notes, ...rendered.flatMap((text) => ['', text]), ''];
}

/** The cells of one ratio: name, target, reached, lowest and highest round, verdict. */
export function ratioRow({ name, relation, target, reached, perRound, met }: Ratio): string[] {
  const spread =
    perRound.length > 1 ? `${formatRatio(Math.min(...perRound))}–${formatRatio(Math.max(...perRound))}` : '';
  const verdict = met === null ? 'not measured' : met ? 'met' : 'MISSED';
  return [name, `${relation} ${target}`, reached === null ? '' : formatRatio(reached), spread, verdict];
}

function formatRatio(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
): string {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (right[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
