import { type MadeUpShop, madeUpOrders } from './made-up-shop.ts';
import { buildOrders, type ScenarioName, type ScenarioOrder } from './scenarios.ts';

/** What is ordered: a scenario of the comparison, or a made-up shop of a given size. */
export type Workload = ScenarioName | MadeUpShop;

/** The orders that the load generator sends: the same list whoever asks. */
export function buildWorkload(workload: Workload, connections: number): ScenarioOrder[] {
  return typeof workload === 'string'
    ? buildOrders(workload, connections)
    : madeUpOrders(workload, connections);
}
