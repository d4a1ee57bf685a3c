import { QUEUE_ORDERS } from './overload-cases.ts';

/** One load of a case. */
export interface OverloadStep {
  /** Of the capacity that the steps before found; null = as fast as answers come. */
  readonly multiple: number | null;
  readonly connections: number;
  readonly seconds: number;
}

/**
 * A connection has one request in flight. Refused at once, most are free again at once; those of accepted orders wait
 * as long as the queue is deep. Four times as many as the queue holds: only a server that does not read what is sent
 * can keep them all waiting.
 */
const CONNECTIONS = 4 * QUEUE_ORDERS;
const PROBES = [16, 64, 256];
const QUICK_PROBES = [64];
/** Memory shows its trend only over a while. */
const LONG = 6;
const QUICK_LONG = 3;

/** The loads of a case, in order: the capacity first, then once, twice and three times that. */
export function overloadSteps(seconds: number, quick: boolean): OverloadStep[] {
  const probes = (quick ? QUICK_PROBES : PROBES).map((connections) => ({
    multiple: null,
    connections,
    seconds,
  }));
  const long = seconds * (quick ? QUICK_LONG : LONG);
  return [
    ...probes,
    { multiple: 1, connections: CONNECTIONS, seconds },
    { multiple: 2, connections: CONNECTIONS, seconds },
    { multiple: OVERLOAD, connections: CONNECTIONS, seconds: long },
  ];
}

/** Three times the capacity is what the promise speaks of. */
export const OVERLOAD = 3;
