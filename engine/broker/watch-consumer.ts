import type { Channel } from 'amqplib';
import { within } from '../runtime/deadline.ts';

const LOOK_EVERY_MS = 2_000;
const ANSWER_WITHIN_MS = 10_000;
/** So often in a row it may be chance. */
const STARVED_LOOKS = 3;

export interface WatchedConsumer {
  readonly channel: Channel;
  readonly queue: string;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Messages that were delivered over the channel so far. */
  readonly delivered: () => number;
  /** Whether it would take one more now. */
  readonly hasRoom: () => boolean;
  /** It gets nothing though it should; told once. */
  readonly onStarved: (reason: string) => void;
}

/**
 * Notices a consumer that RabbitMQ has taken on and does not serve. Seen with 3.10 where queues were deleted and declared again in quick
 * succession: published messages were confirmed or refused, the consumer was neither cancelled nor given any. The likely cause is that it
 * belongs to the queue that is no more. Where it is that, messages wait while the consumer has room.
 */
export function watchConsumer({
  channel,
  queue,
  signal,
  delivered,
  hasRoom,
  onStarved,
}: WatchedConsumer): void {
  let looks = 0;
  let before = -1;
  const look = async () => {
    if (signal.aborted) return;
    try {
      const { messageCount } = await within(ANSWER_WITHIN_MS, channel.checkQueue(queue));
      const isStarved = messageCount > 0 && hasRoom() && delivered() === before;
      looks = isStarved ? looks + 1 : 0;
      before = delivered();
    } catch (error) {
      if (!signal.aborted) onStarved((error as Error).message);
      return;
    }
    if (looks < STARVED_LOOKS) setTimeout(look, LOOK_EVERY_MS).unref();
    else if (!signal.aborted) onStarved('messages wait, and none is delivered');
  };
  setTimeout(look, LOOK_EVERY_MS).unref();
}
