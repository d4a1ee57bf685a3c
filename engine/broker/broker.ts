import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { Connection } from './connection.ts';
import { Consumer, type Subscription } from './consumer.ts';
import { keepChannel, letGo } from './keep-channel.ts';
import { NotPublished, Publisher } from './publisher.ts';
import { SaidOnce } from './said-once.ts';
import { declareTopology, EXCHANGE } from './topology.ts';

export type { Delivery, Subscription, Verdict } from './consumer.ts';
export { NotPublished } from './publisher.ts';

/** A message to be published, persistent, its body as JSON. */
export interface OutgoingMessage {
  readonly routingKey: string;
  readonly body: unknown;
  /** Whoever publishes a message again, uncertain whether it arrived, gives it the same id. At most 255 bytes. */
  readonly messageId: string;
  readonly type?: string;
  readonly headers?: Record<string, unknown>;
  /** `bootakhae` unless said otherwise. */
  readonly exchange?: string;
  /** Rejects where no queue takes it; otherwise such a message is confirmed and forgotten. */
  readonly mandatory?: boolean;
}

/** A process's link to RabbitMQ, which comes back by itself, with the topology declared each time. */
export interface Broker {
  /** Whether messages can be published now. */
  readonly isConnected: boolean;
  /**
   * Resolves when RabbitMQ has confirmed it. Rejects with `NotPublished` when there is no connection, it is refused, or the
   * channel goes before the confirmation. Calls made in order are published in order; past a bound of unconfirmed
   * messages they wait.
   */
  publish(message: OutgoingMessage): Promise<void>;
  /** Consumes until closed, across reconnections, channel closures, and deletion of the queue (it is declared again). */
  consume(subscription: Subscription): void;
  /** Stops consuming, waits for the messages in hand and for outstanding confirmations, both within a bound, and disconnects. */
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly url: string;
  /** Which of our processes this is; its connection is called `bootakhae-<kind>`. */
  readonly kind: string;
  readonly logger: Logger;
}

const FINISH_HANDLING_WITHIN_MS = 10_000;
const FINISH_PUBLISHING_WITHIN_MS = 2_000;
const DECLARE_AGAIN_AFTER_MS = 5_000;

/** Connects in the background: a broker that is away holds up nothing, and is said so in the log. */
export function connectBroker(options: BrokerOptions): Broker {
  return new SupervisedBroker(options);
}

/** One connection, one channel for publishing, and one for each queue that is consumed: what closes one spares the others. */
class SupervisedBroker implements Broker {
  readonly #logger: Logger;
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  readonly #consumers: Consumer[] = [];
  readonly #closing = new AbortController();
  readonly #saidOfTopology: SaidOnce;
  #declaring: Promise<void> | null = null;

  constructor({ url, kind, logger }: BrokerOptions) {
    this.#logger = logger;
    this.#saidOfTopology = new SaidOnce(logger);
    this.#connection = new Connection({ url, name: `bootakhae-${kind}`, logger });
    this.#publisher = new Publisher({
      onUnroutable: () => void this.#declareAgain(),
      onOverdue: (channel) => void this.#publishAnew(channel),
      isBlocked: () => this.#connection.isBlocked,
    });
    void keepChannel<ConfirmChannel>({
      connection: this.#connection,
      purpose: 'publish',
      logger,
      signal: this.#closing.signal,
      create: (model) => model.createConfirmChannel(),
      setUp: (_, model) => this.#declare(model),
      onReady: (channel) => this.#publisher.attach(channel),
      onClosed: (channel, reason) => this.#publisher.detach(channel, reason),
    });
  }

  get isConnected(): boolean {
    return this.#publisher.isReady;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    const { routingKey, body, messageId, type, headers, exchange = EXCHANGE, mandatory = false } = message;
    const content = encode(body);
    const properties = { persistent: true, contentType: 'application/json', messageId, headers, mandatory };
    const options = type === undefined ? properties : { ...properties, type };
    await this.#publisher.publish({ exchange, routingKey, content, options });
  }

  consume(subscription: Subscription): void {
    const connection = this.#connection;
    const publisher = this.#publisher;
    this.#consumers.push(new Consumer({ subscription, connection, publisher, logger: this.#logger }));
  }

  async close(): Promise<void> {
    const handling = Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    await this.#untilLate(FINISH_HANDLING_WITHIN_MS, handling, 'messages are in hand still; they come again');
    await this.#untilLate(
      FINISH_PUBLISHING_WITHIN_MS,
      this.#publisher.finish(),
      'messages are not confirmed; RabbitMQ may have them or not',
    );
    this.#closing.abort();
    await this.#connection.close();
  }

  /** Another channel is opened when this one is closed. */
  async #publishAnew(channel: ConfirmChannel): Promise<void> {
    this.#logger.warn('RabbitMQ owes a confirmation for too long; publishing over another channel');
    await letGo(channel, this.#connection);
  }

  async #untilLate(ms: number, work: Promise<unknown>, late: string): Promise<void> {
    await within(ms, work).catch(() => this.#logger.warn({ withinMs: ms }, late));
  }

  /** What does not match is said, and tried again by and by: it may be mended. */
  async #declare(model: ChannelModel): Promise<void> {
    const [mismatch] = await declareTopology(model);
    if (!mismatch) return this.#saidOfTopology.isWell('RabbitMQ topology declared');
    this.#saidOfTopology.isNot('RabbitMQ topology not declared', mismatch);
    setTimeout(() => void this.#declareAgain(), DECLARE_AGAIN_AFTER_MS).unref();
  }

  #declareAgain(): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    const declare = async () => {
      await this.#declare(await this.#connection.whenOpen(signal));
    };
    this.#declaring ??= declare()
      .catch((error) => {
        if (!signal.aborted) this.#saidOfTopology.isNot('RabbitMQ topology not declared', error);
      })
      .finally(() => {
        this.#declaring = null;
      });
    return this.#declaring;
  }
}

function encode(body: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (error) {
    throw new NotPublished(`the body is no JSON: ${(error as Error).message}`);
  }
}
