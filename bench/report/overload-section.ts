import { SAMPLE_MS } from '../ground/resident-memory.ts';
import type { MemoryTrend } from '../overload/memory-trend.ts';
import { OVERLOAD_SETTINGS } from '../overload/overload-cases.ts';
import { OVERLOAD } from '../overload/overload-plan.ts';
import type { OverloadReport, OverloadRun, OverloadVerdict } from '../overload/overload-result.ts';
import { formatCount, formatMs } from './columns.ts';
import { figures, type RowColumn, type Section, tableOf, words } from './section.ts';
import type { Chart, Point } from './svg.ts';

const MEGABYTE = 1e6;
const POINTS_OF_A_CURVE = 16;

const RUN_COLUMNS: readonly RowColumn<OverloadRun>[] = [
  words('scarce', (run) => run.case),
  words('load', describeLoad),
  figures('conns', ({ connections }) => formatCount(connections)),
  figures('due/s', ({ ratePerSecond }) => (ratePerSecond === null ? '' : formatCount(ratePerSecond))),
  figures('not offered/s', ({ load }) => formatCount(load.notOfferedPerSecond)),
  figures('201/s', ({ load }) => formatCount(load.acceptedPerSecond)),
  figures('503/s', ({ load }) => formatCount(load.shedPerSecond)),
  figures('p50 201', ({ load }) => formatMs(load.accepted.p50)),
  figures('p99 201', ({ load }) => formatMs(load.accepted.p99)),
  figures('p99 503', ({ load }) => (load.shed.count > 0 ? formatMs(load.shed.p99) : '')),
  figures('generator', ({ load }) => load.generatorBusy.toFixed(2)),
  figures('api', ({ cores }) => (cores.server ?? 0).toFixed(2)),
  figures('redis', ({ cores }) => (cores.redis ?? 0).toFixed(2)),
  figures('api MB first/most/last', ({ memory }) => (memory ? describeMemory(memory) : '')),
  figures('rise', ({ memory }) => (memory ? percent(memory.rise) : '')),
  figures('scatter', ({ memory }) => (memory ? percent(memory.scatter) : '')),
  words('books', ({ invalid }) => (invalid.length === 0 ? 'ok' : `INVALID: ${invalid[0]}`)),
];

const VERDICT_COLUMNS: readonly RowColumn<OverloadVerdict>[] = [
  words('P7: scarce', (verdict) => verdict.case),
  figures('offered / capacity', ({ offeredOfCapacity }) => offeredOfCapacity.toFixed(2)),
  figures('best 201/s', ({ best }) => formatCount(best)),
  figures(`201/s at ${OVERLOAD} x`, ({ overloaded }) => formatCount(overloaded)),
  figures('kept', ({ kept }) => percent(kept)),
  words('within 20 %', ({ rateHeld }) => (rateHeld ? 'met' : 'MISSED')),
  words('memory flat', ({ memoryFlat }) =>
    memoryFlat === null ? 'not measured' : memoryFlat ? 'met' : 'MISSED',
  ),
];

const NOTES = [
  'Overload: requests fall due at a fixed rate whether the server keeps up or not; one that finds no connection free is counted as not offered. The capacity is the best rate at the pace of the server.',
  'Memory is flat when a line fitted to the second half of the load rises by less than 1 % of its mean, or by less than the samples scatter about it.',
  ...Object.entries(OVERLOAD_SETTINGS).map(([name, { title }]) => `${name}: ${title}`),
];

/** The overload as a part of the report. */
export function overloadSection({ runs, verdicts }: OverloadReport): Section {
  return {
    title: 'Three times too much',
    notes: NOTES,
    tables: [tableOf(RUN_COLUMNS, runs), tableOf(VERDICT_COLUMNS, verdicts)],
    charts: [answers(runs), memory(runs)],
  };
}

function answers(runs: readonly OverloadRun[]): Chart {
  const paced = runs.filter(({ multiple }) => multiple !== null);
  const of = (name: string, figure: (run: OverloadRun) => number) => ({
    name,
    points: paced.map((run) => ({ x: `${run.case} ${describeLoad(run)}`, y: figure(run) })),
  });
  return {
    title: 'Answers under too much load',
    yTitle: 'a second',
    kind: 'bars',
    series: [
      of('201', ({ load }) => load.acceptedPerSecond),
      of('503', ({ load }) => load.shedPerSecond),
      of('not offered', ({ load }) => load.notOfferedPerSecond),
    ],
  };
}

function memory(runs: readonly OverloadRun[]): Chart {
  const overloaded = runs.filter(({ multiple }) => multiple === OVERLOAD);
  return {
    title: `Resident memory of the api at ${OVERLOAD} times its capacity`,
    yTitle: 'MB',
    kind: 'lines',
    series: overloaded.map((run) => ({ name: run.case, points: curve(run) })),
  };
}

/** A few points of the curve, evenly apart: all of them would write their times over each other. */
function curve({ samples }: OverloadRun): Point[] {
  const step = Math.max(1, Math.ceil(samples.length / POINTS_OF_A_CURVE));
  return samples.flatMap(({ bytes }, at) => {
    const seconds = (at * SAMPLE_MS) / 1_000;
    return at % step === 0 ? [{ x: `${seconds.toFixed(1)} s`, y: bytes / MEGABYTE }] : [];
  });
}

function describeLoad({ multiple }: OverloadRun): string {
  return multiple === null ? 'capacity' : `${multiple} x`;
}

function describeMemory({ firstBytes, mostBytes, lastBytes }: MemoryTrend): string {
  return [firstBytes, mostBytes, lastBytes].map((bytes) => (bytes / MEGABYTE).toFixed(0)).join('/');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
