import { SaleEvents } from '../../engine/events/sale-events.ts';
import { changeEvent } from '../../engine/redis/commands/change-event.ts';
import { readEvent, readEvents } from '../../engine/redis/event-reader.ts';
import { readIdempotencyRecord } from '../../engine/redis/idempotency-reader.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { withOpenGate } from '../open-gate.ts';
import { createBatcher } from '../submit-all.ts';

/** Runs `work` with the sale events as an api has them, behind an open gate. Rejects as `withOpenGate` and `work` do. */
export async function withSaleEvents<T>(
  data: string,
  work: (saleEvents: SaleEvents) => Promise<T>,
): Promise<T> {
  return await withOpenGate(data, async ({ redis, lane }) => {
    const changes = createBatcher(lane, changeEvent, { itemsOfCall: 1, itemsWaiting: 1 });
    const saleEvents = new SaleEvents({
      clock: systemClock,
      readEvents: () => readEvents(redis),
      readEvent: (id) => readEvent(redis, id),
      changeEvent: (request) => changes.submit(request),
      readRecord: (token) => readIdempotencyRecord(redis, token),
    });
    return await work(saleEvents);
  });
}
