import { presentEvent } from '../../engine/events/present-event.ts';
import type { EventResult } from '../../engine/events/sale-events.ts';
import type { AllotmentShortage } from '../../engine/redis/commands/change-event.ts';
import { idempotencyMismatch, Problem } from '../http/problem.ts';
import { REPLAYED, type Reply } from '../http/reply.ts';
import { unknownProducts } from './order-replies.ts';

/** A 404. */
export function noSuchEvent(): Problem {
  return new Problem('not_found', 'there is no such sale event');
}

/** 201 with a new event, 200 with one that was changed, or the problem that says why nothing was done. */
export function replyToEvent(result: EventResult, status: 200 | 201): Reply {
  switch (result.kind) {
    case 'done':
      return { status, ...content(result, status) };
    case 'idempotency_mismatch':
      throw idempotencyMismatch();
    case 'overlap':
      throw new Problem('event_overlap', 'other events have some of the products at that time', {
        members: { events: result.events.map(({ id }) => id) },
      });
    case 'unknown_product':
      throw unknownProducts(result.skus, 'some products do not exist; nothing was changed');
    case 'not_carried':
      throw unknownProducts(
        result.skus,
        'the event does not carry some of the products; nothing was changed',
      );
    case 'missing':
      throw noSuchEvent();
    case 'impossible':
      throw new Problem('event_state', `${result.reason}; nothing was changed`);
    case 'short':
      throw new Problem('out_of_stock', 'so many units are not there to be moved; nothing was changed', {
        members: { items: result.items.map(presentShortage) },
      });
    case 'taken':
      throw new Problem('event_overlap', 'another open event has some of the products; nothing was changed', {
        members: { items: result.skus.map((sku) => ({ sku })) },
      });
  }
}

/** `requested` is what would have been taken away, be it from `regular` or from the event. */
function presentShortage({ sku, requested, available }: AllotmentShortage) {
  return { sku, requested: Math.abs(requested), available };
}

function content(
  { event, shortfalls, isReplayed }: Extract<EventResult, { kind: 'done' }>,
  status: 200 | 201,
): Pick<Reply, 'body' | 'headers'> {
  const replayed = isReplayed ? REPLAYED : {};
  if (status === 200) return { body: { ...presentEvent(event), shortfalls }, headers: replayed };
  return { body: presentEvent(event), headers: { Location: `/api/v1/events/${event.id}`, ...replayed } };
}
