/** What is measured, and how often. */
export interface LiveSettings {
  readonly clients: number;
  /** Items of the event that they watch. */
  readonly items: number;
  /** The api's LIVE_WRITES_PER_SECOND. */
  readonly writesPerSecond: number;
  /** Connections that order. */
  readonly connections: number;
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Orders a second of the runs at a fixed rate. */
  readonly ratePerSecond: number;
}

/** One load with so many clients watching. Rates are a second's, latencies ms of accepted orders. */
export interface LiveSlice {
  readonly clients: number;
  /** Null: as fast as answers come. */
  readonly ratePerSecond: number | null;
  readonly acceptedPerSecond: number;
  /** 409 and 503. */
  readonly refusedPerSecond: number;
  /** Due at the fixed rate and not sent, because every connection waited. */
  readonly notOfferedPerSecond: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  readonly cores: Readonly<Record<string, number>>;
  /** What all clients were told together. */
  readonly messagesPerSecond: number;
  /** Clients whose stream broke. */
  readonly lost: number;
}

/** Orders that were answered with 201, and those that are kept; and what reconcile found. */
export interface LiveBooks {
  readonly answered: number;
  readonly kept: number;
  readonly drifts: number;
}

/** With clients over without, the median of the rounds, each against its own neighbour. */
export interface LiveRatios {
  readonly accepted: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU time of all processes for one accepted order: says the same where something else takes part of the machine. */
  readonly cpuOfOrder: number;
  /** Not a ratio: cores that api, Redis, generator and clients kept busy beyond those without, for 1,000 messages a second. */
  readonly coresOfThousandMessages: number;
}

/** The ratios of the slices of one kind (at full speed, or at a rate), in the order in which they were made. */
export function ratiosOf(slices: readonly LiveSlice[]): LiveRatios {
  const without = slices.filter(({ clients }) => clients === 0);
  const watched = slices.filter(({ clients }) => clients > 0);
  const ratio = (figure: (slice: LiveSlice) => number) =>
    median(watched.map((slice, at) => figure(slice) / figure(without[at]!)));
  return {
    accepted: ratio(({ acceptedPerSecond }) => acceptedPerSecond),
    p50: ratio(({ p50 }) => p50),
    p99: ratio(({ p99 }) => p99),
    cpuOfOrder: ratio((slice) => coresOf(slice) / slice.acceptedPerSecond),
    coresOfThousandMessages: median(
      watched.map((slice, at) => {
        const scale = slice.acceptedPerSecond / without[at]!.acceptedPerSecond;
        return ((coresOf(slice) - coresOf(without[at]!) * scale) * 1_000) / slice.messagesPerSecond;
      }),
    ),
  };
}

function coresOf({ cores }: LiveSlice): number {
  return Object.values(cores).reduce((sum, busy) => sum + busy, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}
