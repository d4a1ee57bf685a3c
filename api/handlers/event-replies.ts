import type { SaleEvent } from '../../engine/domain/sale-event.ts';
import type { EventResult } from '../../engine/events/sale-events.ts';
import { idempotencyMismatch, Problem } from '../http/problem.ts';
import { REPLAYED, type Reply } from '../http/reply.ts';
import { unknownProducts } from './order-replies.ts';

/** A sale event as outsiders see it: the contract's members, times RFC 3339. */
export function showEvent({ id, name, startsAt, endsAt, status, holdSeconds, items }: SaleEvent) {
  const times = { startsAt: new Date(startsAt).toISOString(), endsAt: new Date(endsAt).toISOString() };
  return { id, name, ...times, repeat: null, status, holdSeconds, items };
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
      throw unknownProducts(result.skus);
    case 'missing':
      throw new Problem('not_found', 'there is no such sale event');
    case 'impossible':
      throw new Problem('event_state', `${result.reason}; nothing was changed`);
    case 'short':
      throw new Problem('out_of_stock', 'so many units are not there to be moved; nothing was changed', {
        members: { items: result.items },
      });
    case 'taken':
      throw new Problem('event_overlap', 'another open event has some of the products; nothing was changed', {
        members: { items: result.skus.map((sku) => ({ sku })) },
      });
  }
}

function content(
  { event, shortfalls, isReplayed }: Extract<EventResult, { kind: 'done' }>,
  status: 200 | 201,
): Pick<Reply, 'body' | 'headers'> {
  const replayed = isReplayed ? REPLAYED : {};
  if (status === 200) return { body: { ...showEvent(event), shortfalls }, headers: replayed };
  return { body: showEvent(event), headers: { Location: `/api/v1/events/${event.id}`, ...replayed } };
}
