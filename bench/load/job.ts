import type { Workload } from '../workload.ts';

/** What the load generator is told; a JSON file. */
export interface LoadJob {
  /** Where the orders go; connections are spread over these evenly. */
  readonly urls: readonly string[];
  readonly workload: Workload;
  readonly connections: number;
  /** Load before anything is measured, so that both sides' code is compiled. Its orders count as orders. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Requests a second in all, sent on a schedule whether answers come or not; null = as fast as answers come. */
  readonly ratePerSecond: number | null;
  readonly authSecret: string;
  /**
   * `autocannon` measures; `plain` is a client that costs a fraction of its time, for offering more than a server
   * can take from the same machine.
   */
  readonly client: 'autocannon' | 'plain';
}

/** Milliseconds. */
export interface Latencies {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What the load generator measured; a JSON file. Figures are of the measured window unless they say otherwise. */
export interface LoadResult {
  /** Wall clock, ms since 1970. */
  readonly windowStart: number;
  readonly windowEnd: number;
  readonly acceptedPerSecond: number;
  /** 409: sold out. */
  readonly refusedPerSecond: number;
  /** 503: too busy. */
  readonly shedPerSecond: number;
  /** Requests that were due at a fixed rate and were never sent, because every connection waited for an answer. */
  readonly notOfferedPerSecond: number;
  readonly accepted: Latencies;
  readonly refused: Latencies;
  readonly shed: Latencies;
  /** Answers by status, the warm-up and the tail after the window included: what must be found in the books. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How often each order of the scenario was accepted, by its index; the same span as `statuses`. */
  readonly acceptedOf: readonly number[];
  /** Broken connections and requests without an answer; any makes the run invalid. */
  readonly errors: number;
  /** Share of one core that the generator used: near 1 it measures itself. */
  readonly generatorBusy: number;
}
