import { AXES, AXIS_TITLES, type Axis } from '../growth/growth-plan.ts';
import type { GrowthReport, GrowthRun } from '../growth/growth-result.ts';
import type { OrderMemory } from '../growth/order-memory.ts';
import { median } from '../measure/capacity.ts';
import { formatCount, formatMs } from './columns.ts';
import { figures, type RowColumn, type Section, tableOf, words } from './section.ts';
import type { Chart } from './svg.ts';

const RUN_COLUMNS: readonly RowColumn<GrowthRun>[] = [
  words('growing', ({ spec }) => AXIS_TITLES[spec.axis]),
  figures('to', ({ spec }) => formatCount(spec.value)),
  figures('round', ({ spec }) => String(spec.round)),
  figures('201/s', ({ load }) => formatCount(load.acceptedPerSecond)),
  figures('lines/s', ({ linesPerSecond }) => formatCount(linesPerSecond)),
  figures('p50 ms', ({ load }) => formatMs(load.accepted.p50)),
  figures('p99 ms', ({ load }) => formatMs(load.accepted.p99)),
  figures('orders/call', ({ ordersOfCall }) => ordersOfCall.toFixed(1)),
  figures('api µs', ({ apiMicroseconds }) => formatMs(apiMicroseconds)),
  figures('redis µs', ({ redisMicroseconds }) => formatMs(redisMicroseconds)),
  figures('script µs', ({ scriptMicroseconds }) => formatMs(scriptMicroseconds)),
  figures('generator', ({ load }) => load.generatorBusy.toFixed(2)),
  figures('redis MB', ({ memory }) => formatCount(memory.usedBytes / 1e6)),
  figures('B/product', ({ memory }) => formatCount(memory.bytesOfProduct)),
  figures('B/order', ({ memory }) =>
    memory.bytesOfKeptOrder === null ? '' : formatCount(memory.bytesOfKeptOrder),
  ),
  figures('fill s', ({ fillSeconds }) => fillSeconds.toFixed(1)),
  figures('reconcile s', ({ reconcileSeconds }) => reconcileSeconds?.toFixed(1) ?? 'not run'),
  words('books', ({ invalid }) => (invalid.length === 0 ? 'ok' : `INVALID: ${invalid[0]}`)),
];

const MEMORY_COLUMNS: readonly RowColumn<OrderMemory>[] = [
  words('one order of three lines', describeKind),
  figures('orders/call', ({ ordersOfCall }) => String(ordersOfCall)),
  figures('orders', ({ orders }) => formatCount(orders)),
  figures('bytes kept', ({ kept }) => formatCount(kept)),
  figures('journal', ({ journal }) => formatCount(journal)),
  figures('record', ({ records }) => formatCount(records)),
  figures('hold', ({ holds }) => formatCount(holds)),
  figures('bytes left', ({ left }) => left.toFixed(1)),
];

const NOTES = [
  'Growth: the engine with its writer paused, one thing growing while the rest stays: 3 lines over 2,000 SKUs evenly, nothing kept, one api, 64 connections (256 where the api processes are counted).',
  'api, redis and script µs: time of a core that one accepted order costs. Orders kept: each with an idempotency key, placed 1,024 a call before the load.',
  'Books: journal and levels of every SKU since before the load against the answers, and reconcile where its time is given.',
];

/** The growth curves as a part of the report. */
export function growthSection({ runs, orderMemory }: GrowthReport): Section {
  const tables = [
    tableOf(RUN_COLUMNS, runs),
    ...(orderMemory.length > 0 ? [tableOf(MEMORY_COLUMNS, orderMemory)] : []),
  ];
  const valid = runs.filter(({ invalid }) => invalid.length === 0);
  return {
    title: 'How cost grows',
    notes: NOTES,
    tables,
    charts: AXES.flatMap((axis) => axisCharts(axis, valid)).concat(memoryCharts(orderMemory)),
  };
}

type Figure = (run: GrowthRun) => number;

function axisCharts(axis: Axis, all: readonly GrowthRun[]): Chart[] {
  const runs = all.filter(({ spec }) => spec.axis === axis);
  if (runs.length === 0) return [];
  const series = (name: string, figure: Figure) => ({ name, points: pointsOf(runs, figure) });
  return [
    {
      title: `Throughput against ${AXIS_TITLES[axis]}`,
      yTitle: 'a second, logarithmic',
      kind: 'lines',
      logarithmic: true,
      series: [
        series('accepted orders', ({ load }) => load.acceptedPerSecond),
        series('lines', ({ linesPerSecond }) => linesPerSecond),
      ],
    },
    {
      title: `Cost of one order against ${AXIS_TITLES[axis]}`,
      yTitle: 'µs of a core, logarithmic',
      kind: 'lines',
      logarithmic: true,
      series: [
        series('api', ({ apiMicroseconds }) => apiMicroseconds),
        series('redis', ({ redisMicroseconds }) => redisMicroseconds),
        series('of that the script', ({ scriptMicroseconds }) => scriptMicroseconds),
      ],
    },
    {
      title: `Latency of accepted orders against ${AXIS_TITLES[axis]}`,
      yTitle: 'ms, logarithmic',
      kind: 'lines',
      logarithmic: true,
      series: [
        series('p50', ({ load }) => load.accepted.p50),
        series('p99', ({ load }) => load.accepted.p99),
      ],
    },
  ];
}

/** Medians over the rounds. */
function pointsOf(runs: readonly GrowthRun[], figure: Figure) {
  const values = [...new Set(runs.map(({ spec }) => spec.value))];
  return values.map((value) => ({
    x: formatCount(value),
    y: median(runs.filter(({ spec }) => spec.value === value).map(figure)),
  }));
}

function memoryCharts(rows: readonly OrderMemory[]): Chart[] {
  if (rows.length === 0) return [];
  const kinds = [...new Set(rows.map(describeKind))];
  return [
    {
      title: 'Memory of one kept order in Redis, three lines',
      yTitle: 'bytes, against orders that share a call',
      kind: 'bars',
      series: kinds.map((name) => ({
        name,
        points: rows
          .filter((row) => describeKind(row) === name)
          .map(({ ordersOfCall, kept }) => ({ x: String(ordersOfCall), y: kept })),
      })),
    },
  ];
}

function describeKind({ keyed, held }: OrderMemory): string {
  return `${held ? 'held' : 'placed'}, ${keyed ? 'with a key' : 'no key'}`;
}
