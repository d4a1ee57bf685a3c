import { SCENARIO_TITLES } from '../scenarios.ts';
import { STRATEGIES } from '../strategies.ts';
import { makeCharts } from './charts.ts';
import { COLUMNS } from './columns.ts';
import type { Report } from './report.ts';
import type { Section } from './section.ts';
import { sectionsOf } from './sections.ts';
import { drawChart, escapeText } from './svg.ts';
import { ratioRow } from './terminal.ts';

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;font-size:13px}td,th{padding:2px 9px;border-bottom:1px solid #ddd;text-align:left}
.number{text-align:right;font-variant-numeric:tabular-nums}.MISSED,.INVALID{color:#b00;font-weight:600}.met{color:#070}
svg{width:100%;max-width:860px;display:block;margin:1.5em 0}.title{font-weight:600;font-size:15px}
.axis{font-size:11px;fill:#555}.end{text-anchor:end;dominant-baseline:middle}.mid{text-anchor:middle}.grid{stroke:#e4e4e4}
.wide{overflow-x:auto}`;

/** The report as one page that needs nothing else. */
export function renderPage(report: Report): string {
  const { machine, commit, startedAt } = report;
  const facts = [
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 1e9)} GB, Linux ${machine.kernel}`,
    `Node.js ${machine.node}, Redis ${machine.redis}, MariaDB ${machine.mariadb}`,
    `appending 4 KiB and fsync: ${machine.fsyncMs.toFixed(2)} ms (median)`,
    `commit ${commit ?? 'unknown'}, ${startedAt}`,
    `a run: ${report.options.warmUpSeconds} s of warm-up, ${report.options.seconds} s measured, ${report.options.rounds} rounds`,
  ];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>BooTakHae: bench of ${startedAt}</title>
<style>${STYLE}</style><h1>BooTakHae: how fast</h1>
${list(facts)}
${list(report.remarks)}${report.runs.length > 0 ? renderComparison(report) : ''}
${sectionsOf(report).map(renderSection).join('\n')}</html>`;
}

function renderComparison(report: Report): string {
  return `<h2>Ratios</h2>${ratioTable(report)}
<h2>What was compared</h2>${list(STRATEGIES.map(({ letter, name, title }) => `${letter} ${name}: ${title}`))}
${list(Object.entries(SCENARIO_TITLES).map(([name, title]) => `${name}: ${title}`))}
<h2>Plots</h2><p>Medians over the rounds.</p>${makeCharts(report.runs).map(drawChart).join('\n')}
<h2>All runs</h2><p>CPU figures are cores kept busy in the measured window.</p>${runTable(report)}`;
}

function renderSection({ title, notes, tables, charts }: Section): string {
  const rendered = tables.map(({ columns, rows }) => {
    const titles = columns.map((column) => column.title);
    const cells = rows.map((row) => row.map((cell, at) => tableCell(cell, columns[at]!.right)));
    return `<div class="wide">${table(titles, cells)}</div><p></p>`;
  });
  return `<h2>${escapeText(title)}</h2>${list(notes)}${rendered.join('\n')}${charts.map(drawChart).join('\n')}`;
}

function list(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escapeText(line)}</li>`).join('')}</ul>`;
}

function ratioTable({ ratios }: Report): string {
  const rows = ratios.map((ratio) => ratioRow(ratio).map((cell, at) => tableCell(cell, at > 0 && at < 4)));
  return table(['ratio', 'target', 'reached', 'rounds', ''], rows);
}

function runTable({ runs }: Report): string {
  const rows = runs.map((run) => COLUMNS.map((column) => tableCell(column.cell(run), column.right)));
  return `<div class="wide">${table(
    COLUMNS.map(({ title }) => title),
    rows,
  )}</div>`;
}

function table(titles: readonly string[], rows: readonly string[][]): string {
  const head = titles.map((title) => `<th>${escapeText(title)}</th>`).join('');
  return `<table><tr>${head}</tr>${rows.map((row) => `<tr>${row.join('')}</tr>`).join('\n')}</table>`;
}

function tableCell(text: string, right: boolean): string {
  return `<td class="${right ? 'number' : escapeText(text.split(':')[0]!)}">${escapeText(text)}</td>`;
}
