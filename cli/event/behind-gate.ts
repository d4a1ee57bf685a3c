import { saleEventsBehind } from '../../engine/events/behind-gate.ts';
import type { SaleEvents } from '../../engine/events/sale-events.ts';
import { changeEvent } from '../../engine/redis/commands/change-event.ts';
import { withOpenGate } from '../open-gate.ts';
import { createBatcher } from '../submit-all.ts';

/** Runs `work` with the sale events as an api has them, behind an open gate. Rejects as `withOpenGate` and `work` do. */
export async function withSaleEvents<T>(
  data: string,
  work: (saleEvents: SaleEvents) => Promise<T>,
): Promise<T> {
  return await withOpenGate(data, async ({ redis, gate, lane }) => {
    const changes = createBatcher(lane, changeEvent, { itemsOfCall: 1, itemsWaiting: 1 });
    return await work(saleEventsBehind({ gate, redis, changeEvent: (request) => changes.submit(request) }));
  });
}
