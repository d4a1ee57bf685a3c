import type { RunResult } from '../measure/run-result.ts';
import { isTables, letterOf } from '../strategies.ts';

/** One column of the table of runs, for the terminal and the page alike. */
export interface Column {
  readonly title: string;
  readonly right: boolean;
  cell(result: RunResult): string;
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12,345 */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** 0.4, 12.3, 456 */
export function formatMs(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

const core = (name: string): Column => ({
  title: name,
  right: true,
  cell: ({ cores }) => (cores[name] === undefined ? '' : cores[name].toFixed(2)),
});

export const COLUMNS: readonly Column[] = [
  { title: 'run', right: false, cell: ({ spec }) => spec.purpose },
  { title: 'round', right: true, cell: ({ spec }) => String(spec.round) },
  { title: 'scenario', right: false, cell: ({ spec }) => spec.scenario },
  { title: 'conns', right: true, cell: ({ spec }) => String(spec.connections) },
  { title: 'what', right: false, cell: ({ spec }) => `${letterOf(spec.strategy)} ${spec.strategy}` },
  { title: 'with', right: false, cell: describeWith },
  { title: '201/s', right: true, cell: ({ load }) => formatCount(load.acceptedPerSecond) },
  { title: '409/s', right: true, cell: ({ load }) => formatCount(load.refusedPerSecond) },
  { title: 'p50 ms', right: true, cell: ({ load }) => formatMs(load.accepted.p50) },
  { title: 'p99 ms', right: true, cell: ({ load }) => formatMs(load.accepted.p99) },
  { title: 'p99.9', right: true, cell: ({ load }) => formatMs(load.accepted.p999) },
  {
    title: 'p99 409',
    right: true,
    cell: ({ load }) => (load.refused.count > 0 ? formatMs(load.refused.p99) : ''),
  },
  { title: 'orders/call', right: true, cell: ordersOfCall },
  core('generator'),
  core('server'),
  core('redis'),
  core('mariadb'),
  core('writer'),
  { title: 'books', right: false, cell: ({ invalid }) => (invalid.length === 0 ? 'ok' : 'INVALID') },
];

/** Locks are script calls too, but not of orders. */
function ordersOfCall({ spec, redis, load }: RunResult): string {
  if (redis.scriptCalls === 0 || isTables(spec.strategy)) return '';
  const orders = (load.statuses['201'] ?? 0) + (load.statuses['409'] ?? 0);
  return (orders / redis.scriptCalls).toFixed(1);
}

function describeWith({ spec, ratePerSecond, drain, lag }: RunResult): string {
  return [
    spec.batchOrders === undefined ? '' : `batch ${spec.batchOrders}`,
    ratePerSecond === null ? '' : `${formatCount(ratePerSecond)}/s`,
    drain ? `drain ${formatCount(drain.rowsPerSecond)} rows/s` : '',
    lag ? `lag ${lag.most}, ${lag.secondsUntilZero.toFixed(1)} s` : '',
  ]
    .filter(Boolean)
    .join(' ');
}
