/** What is made scarce, so that the load generator can offer three times what the engine can take. */
export const OVERLOAD_CASES = ['calls', 'core', 'refusals'] as const;
export type OverloadCase = (typeof OVERLOAD_CASES)[number];

export interface OverloadSetting {
  readonly title: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Share of the time that the api may run; null = all of it. */
  readonly share: number | null;
}

/** Orders that may wait where the queue is to be full: far fewer than there are connections. */
export const QUEUE_ORDERS = 512;

/**
 * - calls: Redis calls carry one or two orders and go one at a time. The queue of orders fills up and the api, which
 *   has time to spare, refuses what does not fit.
 * - core: the api has a quarter of a core, and its queue its usual length. It cannot read what is offered: requests
 *   wait in sockets, of which each shopper has one.
 * - refusals: the same with a queue that is shorter than what one turn of the event loop reads, so that every refusal is
 *   paid for from what is scarce.
 */
export const OVERLOAD_SETTINGS: Readonly<Record<OverloadCase, OverloadSetting>> = {
  calls: {
    title: 'Redis calls are scarce: 2 orders a call, one call at a time, 512 orders may wait',
    environment: { BATCH_ORDERS: '2', BATCH_LANES: '1', QUEUE_ORDERS: String(QUEUE_ORDERS) },
    share: null,
  },
  core: {
    title:
      'the api’s core is scarce: stopped for three quarters of every 20 ms, the queue as it is by default',
    environment: {},
    share: 0.25,
  },
  refusals: {
    title: 'the same, and only 512 orders may wait: what is refused is paid for with what is scarce',
    environment: { QUEUE_ORDERS: String(QUEUE_ORDERS) },
    share: 0.25,
  },
};
