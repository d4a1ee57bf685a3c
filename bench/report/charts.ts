import { median } from '../measure/capacity.ts';
import type { RunResult } from '../measure/run-result.ts';
import { STRATEGIES, type StrategyName } from '../strategies.ts';
import type { Chart, Point, Series } from './svg.ts';

type Figure = (result: RunResult) => number;

const accepted: Figure = ({ load }) => load.acceptedPerSecond;
const decided: Figure = ({ load }) => load.acceptedPerSecond + load.refusedPerSecond;

/** Every plot of the report; those of which nothing was measured are empty. */
export function makeCharts(all: readonly RunResult[]): Chart[] {
  const runs = all.filter(({ invalid }) => invalid.length === 0);
  const compare = runs.filter(({ spec }) => spec.purpose === 'compare');
  const busiest = Math.max(...compare.map(({ spec }) => spec.connections).filter((count) => count <= 256));
  const wide = compare.filter(({ spec }) => spec.connections === busiest);
  return [
    {
      title: `Orders decided a second, ${busiest} connections`,
      yTitle: 'accepted + refused orders a second, logarithmic',
      kind: 'bars',
      logarithmic: true,
      series: byStrategy(wide, ({ spec }) => spec.scenario, decided),
    },
    {
      title: `Latency of accepted orders, even, ${busiest} connections`,
      yTitle: 'ms, logarithmic',
      kind: 'bars',
      logarithmic: true,
      series: latencies(wide.filter(({ spec }) => spec.scenario === 'even')),
    },
    {
      title: 'Latency at a fixed rate, 64 connections',
      yTitle: 'ms from when the request was due, logarithmic',
      kind: 'bars',
      logarithmic: true,
      series: pacedLatencies(runs.filter(({ spec }) => spec.purpose === 'paced')),
    },
    {
      title: 'Orders a second against the bound on a call’s orders, 1,024 connections',
      yTitle: 'accepted orders a second',
      kind: 'lines',
      series: [bounds(runs)],
    },
    {
      title: 'Orders a second against connections, even',
      yTitle: 'accepted orders a second',
      kind: 'lines',
      series: byStrategy(
        compare.filter(({ spec }) => spec.scenario === 'even'),
        ({ spec }) => String(spec.connections),
        accepted,
      ),
    },
    {
      title: 'How far MariaDB is behind while the writer runs',
      yTitle: 'journal entries',
      kind: 'lines',
      series: lags(runs),
    },
  ];
}

function byStrategy(runs: readonly RunResult[], place: (run: RunResult) => string, figure: Figure): Series[] {
  return present(runs).map((strategy) => {
    const own = runs.filter(({ spec }) => spec.strategy === strategy);
    return { name: title(strategy), points: medians(own, place, figure) };
  });
}

function medians(runs: readonly RunResult[], place: (run: RunResult) => string, figure: Figure): Point[] {
  const places = [...new Set(runs.map(place))];
  return places.map((x) => ({ x, y: median(runs.filter((run) => place(run) === x).map(figure)) }));
}

const PERCENTILES = ['p50', 'p90', 'p99', 'p999'] as const;

function latencies(
  runs: readonly RunResult[],
  name = (run: RunResult) => title(run.spec.strategy),
): Series[] {
  const names = [...new Set(runs.map(name))];
  return names.map((one) => {
    const own = runs.filter((run) => name(run) === one);
    const points = PERCENTILES.map((x) => ({ x, y: median(own.map(({ load }) => load.accepted[x])) }));
    return { name: one, points };
  });
}

function pacedLatencies(runs: readonly RunResult[]): Series[] {
  return latencies(runs, ({ spec }) => `${title(spec.strategy)} at 70 % of ${title(spec.pace!.of)}`);
}

function bounds(runs: readonly RunResult[]): Series {
  const own = runs.filter(({ spec }) => spec.purpose === 'bound');
  return { name: 'd', points: medians(own, ({ spec }) => String(spec.batchOrders), accepted) };
}

function lags(runs: readonly RunResult[]): Series[] {
  return runs.flatMap(({ spec, lag }) => {
    if (!lag) return [];
    const everyHalfSecond = lag.samples.filter((_, at) => at % 5 === 0);
    const points = everyHalfSecond.map(({ at, entries }) => ({ x: `${at.toFixed(1)} s`, y: entries }));
    return [{ name: `round ${spec.round}`, points }];
  });
}

function present(runs: readonly RunResult[]): StrategyName[] {
  return STRATEGIES.map(({ name }) => name).filter((name) => runs.some(({ spec }) => spec.strategy === name));
}

function title(name: StrategyName): string {
  return name === 'script-per-order-pipelined'
    ? 'c2 pipelined'
    : `${STRATEGIES.find((one) => one.name === name)!.letter} ${name}`;
}
