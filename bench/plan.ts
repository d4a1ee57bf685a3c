import type { ScenarioName } from './scenarios.ts';
import type { StrategyName } from './strategies.ts';

/**
 * Why a run is made.
 *
 * - compare: strategies against each other, no writer
 * - policy: `appendfsync always` against `everysec`
 * - bound: the engine with different bounds on a call's orders
 * - paced: latency at a fixed rate
 * - burst: no writer during the load, then the backlog is drained
 * - sustained: the writer drains during the load
 */
export type Purpose = 'compare' | 'policy' | 'bound' | 'paced' | 'burst' | 'sustained';

/** One run: fresh servers, fresh stock, one load. */
export interface RunSpec {
  readonly purpose: Purpose;
  readonly strategy: StrategyName;
  readonly scenario: ScenarioName;
  readonly connections: number;
  /** Runs of one round stand next to each other in time: ratios are taken within a round. */
  readonly round: number;
  /** BATCH_ORDERS of the engine; absent = what the environment says. */
  readonly batchOrders?: number;
  /** A fixed rate: this share of what that strategy reached before, at these connections on this scenario. */
  readonly pace?: { readonly of: StrategyName; readonly share: number };
}

export interface PlanOptions {
  readonly strategies: readonly StrategyName[];
  readonly scenarios: readonly ScenarioName[];
  readonly connections: readonly number[];
  readonly rounds: number;
  /** Only the comparison: for a narrowed question the other runs are not of interest. */
  readonly compareOnly: boolean;
}

const MANY_CONNECTIONS = 1_024;
const BOUNDS = [1, 4, 16, 64, 256, 1_024];
const COMPARED: readonly StrategyName[] = [
  'select-for-update',
  'lock-per-item',
  'script-per-order',
  'script-per-order-pipelined',
  'engine',
  'ceiling',
];
const AT_MANY: readonly StrategyName[] = [
  'script-per-order',
  'script-per-order-pipelined',
  'engine',
  'ceiling',
];
/** No ratio is asked of the other scenarios: once is enough for them. */
const REPEATED: readonly ScenarioName[] = ['even', 'hot'];
const PACE_SHARE = 0.7;
const FULL_CONNECTIONS = 64;

/** All runs, in the order in which they are made: the strategies of one question follow each other. */
export function makePlan(options: PlanOptions): RunSpec[] {
  const rounds = Array.from({ length: options.rounds }, (_, at) => at + 1);
  const specs = rounds.flatMap((round) => [
    ...compare(options, round),
    ...(options.compareOnly ? [] : extras(round)),
  ]);
  const once = options.compareOnly ? [] : bounds();
  return [...specs, ...once].filter(({ strategy, pace }) => {
    return (
      options.strategies.includes(strategy === 'engine-everysec' ? 'engine' : strategy) &&
      (!pace || options.strategies.includes(pace.of))
    );
  });
}

function compare({ scenarios, connections }: PlanOptions, round: number): RunSpec[] {
  return scenarios
    .filter((scenario) => round === 1 || REPEATED.includes(scenario))
    .flatMap((scenario) =>
      connections.flatMap((count) =>
        strategiesAt(scenario, count).map((strategy): RunSpec => {
          return { purpose: 'compare', strategy, scenario, connections: count, round };
        }),
      ),
    );
}

/**
 * One connection and a thousand are asked about on `even` only. The ceiling has no stock that could sell out.
 */
function strategiesAt(scenario: ScenarioName, connections: number): readonly StrategyName[] {
  if (scenario !== 'even' && (connections === 1 || connections >= MANY_CONNECTIONS)) return [];
  const asked = connections >= MANY_CONNECTIONS ? AT_MANY : COMPARED;
  return asked.filter((strategy) => strategy !== 'ceiling' || scenario !== 'sell-out');
}

function extras(round: number): RunSpec[] {
  const base = { scenario: 'even', connections: FULL_CONNECTIONS, round } as const;
  const paced = (strategy: StrategyName, of: StrategyName): RunSpec => {
    return { ...base, purpose: 'paced', strategy, pace: { of, share: PACE_SHARE } };
  };
  return [
    ...[FULL_CONNECTIONS, 256].flatMap((connections): RunSpec[] => [
      { ...base, connections, purpose: 'policy', strategy: 'engine' },
      { ...base, connections, purpose: 'policy', strategy: 'engine-everysec' },
    ]),
    paced('script-per-order', 'script-per-order'),
    paced('engine', 'engine'),
    paced('engine', 'script-per-order'),
    { ...base, purpose: 'burst', strategy: 'engine' },
    { ...base, purpose: 'sustained', strategy: 'engine' },
  ];
}

/** With as many connections as the largest bound, else the bound would bound nothing. */
function bounds(): RunSpec[] {
  return BOUNDS.map((batchOrders) => ({
    purpose: 'bound',
    strategy: 'engine',
    scenario: 'even',
    connections: MANY_CONNECTIONS,
    round: 1,
    batchOrders,
  }));
}
