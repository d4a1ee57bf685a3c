import { readBehind } from '../journal/behind-gate.ts';
import type { Gate } from '../journal/gate.ts';
import type { RedisClient } from '../redis/client.ts';
import { EventBookReader, readEvent } from '../redis/event-reader.ts';
import { readIdempotencyRecord } from '../redis/idempotency-reader.ts';
import { systemClock } from '../runtime/clock.ts';
import { SaleEvents, type SaleEventsOptions } from './sale-events.ts';

/** What the sale events of a process stand on. */
export interface SaleEventsParts extends Pick<SaleEventsOptions, 'changeEvent'> {
  readonly gate: Gate;
  readonly redis: RedisClient;
}

/** The sale events as a process has them that decides behind a gate. */
export function saleEventsBehind({ gate, redis, changeEvent }: SaleEventsParts): SaleEvents {
  const book = new EventBookReader(redis);
  return new SaleEvents({
    clock: systemClock,
    readEvents: () => readBehind(gate, book.read()),
    readEvent: (id) => readBehind(gate, readEvent(redis, id)),
    changeEvent,
    readRecord: (token) => readBehind(gate, readIdempotencyRecord(redis, token)),
  });
}
