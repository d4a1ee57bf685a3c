import type { Drift } from '../../writer/reconcile/drift.ts';
import type { Plan } from '../../writer/reconcile/plan.ts';
import type { Reconciliation } from '../../writer/reconcile/reconcile.ts';
import { padTo, widthOf } from '../columns.ts';
import { showable } from '../showable.ts';

const ROWS_SHOWN = 100;
const HEAD = ['KIND', 'SKU', 'POOL', 'REDIS', 'DATABASE', 'EXPECTED', 'DIFFERENCE', 'OF'];
const FIRST_FIGURE = 3;
const FIGURES = 4;

/** A comparison for people: one line where all agree, else a table of what does not. */
export function describeReconciliation(result: Reconciliation): string {
  if (result.consistent) return `consistent: ${describeCut(result)}`;
  return [describeDrifts(result), ...table(HEAD, result.drifts.map(toCells))].join('\n');
}

/** How much does not agree, in one line. */
export function describeDrifts(result: Reconciliation): string {
  const { drifts, driftsLeftOut = 0 } = result;
  const count = `${drifts.length + driftsLeftOut} found (${countKinds(drifts)}${driftsLeftOut > 0 ? ', …' : ''})`;
  return `DRIFT: ${count} in ${describeCut(result)}`;
}

/** What was compared, and where. */
export function describeCut({ epoch, cut, backlog, levels, orders }: Reconciliation): string {
  return `${levels} levels and ${orders} orders at journal entry ${cut}, epoch ${epoch}, backlog ${backlog}`;
}

/** `3 level, 1 price`. */
export function countKinds(drifts: readonly Drift[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of drifts) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return Array.from(counts, ([kind, count]) => `${count} ${kind}`).join(', ');
}

/** What `--fix` would do, and what it leaves to a person. */
export function describePlan({ compensations, unfixed }: Plan): string {
  const head = ['SKU', 'POOL', '', 'REDIS', 'LEVEL', 'MOVEMENTS'];
  const rows = compensations.map(({ sku, pool, redisDelta, levelDelta, movementDelta }) => [
    sku,
    pool,
    '',
    ...[redisDelta, levelDelta, movementDelta].map(signed),
  ]);
  const advices = [...new Set(unfixed.map(({ advice }) => advice))];
  const left = advices.map((advice) => {
    const drifts = unfixed.filter((each) => each.advice === advice).map(({ drift }) => drift);
    return `not fixed by --fix: ${countKinds(drifts)} (${namesOf(drifts)}): ${advice}`;
  });
  return [...(rows.length > 0 ? [`${rows.length} to compensate:`, ...table(head, rows)] : []), ...left].join(
    '\n',
  );
}

const NAMES_SHOWN = 5;

function namesOf(drifts: readonly Drift[]): string {
  const names = drifts.map((drift) => drift.entry ?? drift.order ?? drift.sku ?? drift.pool ?? 'journal');
  const more = names.length > NAMES_SHOWN ? ', …' : '';
  return `${names.slice(0, NAMES_SHOWN).map(showable).join(', ')}${more}`;
}

function toCells({ kind, sku, pool, redis, database, expected, difference, ...of }: Drift): string[] {
  const figures = [redis, database, expected].map((figure) => String(figure ?? '-'));
  const subject = [
    of.order && `order ${of.order}`,
    of.user && `user ${of.user}`,
    of.entry && `entry ${of.entry}`,
  ];
  return [
    kind,
    sku ?? '-',
    pool ?? '-',
    ...figures,
    difference === null ? '?' : signed(difference),
    subject.filter(Boolean).join(', '),
  ];
}

const signed = (units: number) => (units > 0 ? `+${units}` : String(units));

function table(head: readonly string[], rows: readonly string[][]): string[] {
  const shown = rows.slice(0, ROWS_SHOWN).map((row) => row.map(showable));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...shown.map((row) => widthOf(row[column]!))),
  );
  const lines = [head, ...shown].map((row) =>
    `  ${row.map((cell, column) => pad(cell, widths[column]!, column)).join('  ')}`.trimEnd(),
  );
  const more = rows.length - shown.length;
  return more > 0 ? [...lines, `  and ${more} more (--json has them)`] : lines;
}

function pad(cell: string, width: number, column: number): string {
  const isFigure = column >= FIRST_FIGURE && column < FIRST_FIGURE + FIGURES;
  return isFigure ? cell.padStart(width) : padTo(width, cell);
}
