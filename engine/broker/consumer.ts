import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Connection } from './connection.ts';
import { bury } from './dead-letters.ts';
import { keepChannel, letGo } from './keep-channel.ts';
import type { Publisher } from './publisher.ts';
import { declareQueue } from './topology.ts';
import { watchConsumer } from './watch-consumer.ts';

/** A message as it was delivered. */
export interface Delivery {
  readonly content: Buffer;
  readonly routingKey: string;
  readonly messageId: string | null;
  /** It was delivered before, and not acknowledged. */
  readonly isRedelivered: boolean;
  /**
   * Aborts when whatever the handler answers counts no more, its channel being gone, or when the process is shutting down.
   * A handler that waits gives up then, by rejecting: the message comes again.
   */
  readonly signal: AbortSignal;
}

/** `done`: acknowledge it. `dead`: it can never be handled, for that reason; it goes to the dead letters. */
export type Verdict = 'done' | { readonly dead: string };

export interface Subscription {
  /** One of the topology's queues. */
  readonly queue: string;
  /** Messages in hand at once, at most. */
  readonly prefetch: number;
  /**
   * Handles one message; may be called for the same one again, and for several at once. What cannot be done now is waited for
   * in here, since each delivery counts towards the limit after which RabbitMQ itself puts it among the dead letters.
   * That is what happens to a message whose handling keeps rejecting.
   */
  handle(delivery: Delivery): Promise<Verdict>;
}

export interface ConsumerOptions {
  readonly subscription: Subscription;
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly logger: Logger;
}

/** Before a message whose handling failed unforeseen is given back, so that its deliveries are not used up in a moment. */
const PAUSE_AFTER_FAILURE_MS = 1_000;
const CANCEL_WITHIN_MS = 2_000;

/** A channel on which messages are consumed. */
interface Session {
  readonly channel: Channel;
  /** Aborts when the channel is gone or the consumer stops. */
  readonly ending: AbortController;
  consumerTag: string | null;
  delivered: number;
  inHand: number;
}

/** Consumes a queue until it is stopped, over as many channels as it takes. */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #stopping = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  #session: Session | null = null;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { connection, logger, subscription } = options;
    void keepChannel<Channel>({
      connection,
      logger,
      purpose: `consume ${subscription.queue}`,
      signal: this.#stopping.signal,
      create: (model) => model.createChannel(),
      setUp: (channel) => this.#begin(channel),
      onClosed: (channel) => this.#end(channel),
    });
  }

  /** Takes no more messages; resolves when those in hand are handled or given up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const session = this.#session;
    if (session?.consumerTag)
      await within(CANCEL_WITHIN_MS, session.channel.cancel(session.consumerTag)).catch(() => undefined);
    session?.ending.abort();
    await Promise.all(this.#inHand);
    // Answered only after the acknowledgements before it: the connection's closing might overtake them.
    if (session) await letGo(session.channel, this.#options.connection);
  }

  async #begin(channel: Channel): Promise<void> {
    const { connection, logger, subscription } = this.#options;
    const { queue, prefetch } = subscription;
    const session: Session = {
      channel,
      ending: new AbortController(),
      consumerTag: null,
      delivered: 0,
      inHand: 0,
    };
    this.#session = session;
    await declareQueue(channel, queue);
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => this.#take(session, message));
    session.consumerTag = consumerTag;
    watchConsumer({
      ...{ channel, queue, signal: session.ending.signal },
      delivered: () => session.delivered,
      hasRoom: () => session.inHand < prefetch,
      onStarved: (reason) => {
        logger.warn(
          { queue, reason },
          'RabbitMQ does not serve the consumer; consuming over another channel',
        );
        void letGo(channel, connection);
      },
    });
  }

  #end(channel: Channel): void {
    if (this.#session?.channel !== channel) return;
    this.#session.ending.abort();
    this.#session = null;
  }

  /** RabbitMQ says with no message that the consumer is cancelled: its queue is gone. A new channel declares it again. */
  #take(session: Session, message: ConsumeMessage | null): void {
    const { connection, logger, subscription } = this.#options;
    if (!message) {
      logger.warn(
        { queue: subscription.queue },
        'RabbitMQ ended the consumer: its queue is gone or was moved',
      );
      void letGo(session.channel, connection);
    }
    if (!message || this.#stopping.signal.aborted) return;
    session.delivered += 1;
    session.inHand += 1;
    const handling = this.#handle(session, message).finally(() => {
      session.inHand -= 1;
      this.#inHand.delete(handling);
    });
    this.#inHand.add(handling);
  }

  /** Never rejects. */
  async #handle(session: Session, message: ConsumeMessage): Promise<void> {
    const { logger, subscription, publisher } = this.#options;
    const { signal } = session.ending;
    const { queue } = subscription;
    try {
      const verdict = await subscription.handle(toDelivery(message, signal));
      const isSettled =
        verdict === 'done' ||
        (await bury(publisher, logger, { message, queue, reason: verdict.dead, signal }));
      if (isSettled) settle(() => session.channel.ack(message));
    } catch (error) {
      if (signal.aborted) return;
      const about = { queue, messageId: message.properties.messageId, error: (error as Error).message };
      logger.error(about, 'message not handled; it comes again');
      await pause(PAUSE_AFTER_FAILURE_MS, undefined, { signal }).catch(() => undefined);
      settle(() => session.channel.nack(message, false, true));
    }
  }
}

function toDelivery({ content, fields, properties }: ConsumeMessage, signal: AbortSignal): Delivery {
  return {
    content,
    routingKey: fields.routingKey,
    messageId: properties.messageId ?? null,
    isRedelivered: fields.redelivered,
    signal,
  };
}

/** On a channel that is gone nothing can be said any more, and need not be: the message comes again. */
function settle(say: () => void): void {
  try {
    say();
  } catch {
    // as above
  }
}
