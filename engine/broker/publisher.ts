import type { ConfirmChannel, Options } from 'amqplib';

/** Messages that RabbitMQ has not confirmed yet, at most; further ones wait for their turn. */
const MAX_UNCONFIRMED = 1_000;
/**
 * A quorum queue that has no leader confirms nothing, and what was sent to it may be confirmed never: the channel then waits for
 * ever, also for what goes to other queues. What takes longer than this is published over another one.
 */
const CONFIRM_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/**
 * RabbitMQ has not confirmed a message: it may have it or not. Whoever needs it to arrive publishes it again, with the
 * same message id.
 */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';
}

/** A message as it goes over the wire. */
export interface WireMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish & { readonly messageId: string };
}

interface Outgoing extends WireMessage {
  readonly resolve: () => void;
  readonly reject: (error: NotPublished) => void;
  /** By the monotonic clock; 0 = not sent yet. */
  sentAt: number;
  /** No queue took it: RabbitMQ says so before it confirms it. */
  isReturned: boolean;
}

export interface PublisherOptions {
  /** No queue took a message that some queue had to take. */
  readonly onUnroutable: () => void;
  /** RabbitMQ owes this channel a confirmation for so long that it will never come; it is let go. */
  readonly onOverdue: (channel: ConfirmChannel) => void;
  /** RabbitMQ takes no messages from anybody now: what it has not confirmed may still be confirmed. */
  readonly isBlocked: () => boolean;
}

/**
 * Publishes over one channel at a time, in the order of the calls, never more than a bound without RabbitMQ's confirmation.
 * When the channel goes, all that was not confirmed is rejected, sent or not.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  #channel: ConfirmChannel | null = null;
  #isFull = false;
  #isClosed = false;
  #waiting: Outgoing[] = [];
  readonly #unconfirmed = new Set<Outgoing>();
  #idle: (() => void)[] = [];

  readonly #looking: NodeJS.Timeout;
  /** When RabbitMQ was last found to take no messages, by the monotonic clock. */
  #blockedAt = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  get isReady(): boolean {
    return this.#channel !== null;
  }

  /** From now on messages go out over this channel. */
  attach(channel: ConfirmChannel): void {
    channel.on('drain', () => {
      this.#isFull = false;
      this.#pump();
    });
    channel.on('return', ({ properties }) => this.#markReturned(properties.messageId));
    this.#isFull = false;
    this.#channel = channel;
  }

  /** The channel is gone; a no-op for any but the current one. */
  detach(channel: ConfirmChannel, reason: Error): void {
    if (this.#channel !== channel) return;
    this.#channel = null;
    const lost = [...this.#unconfirmed, ...this.#waiting];
    this.#unconfirmed.clear();
    this.#waiting = [];
    for (const { reject } of lost) reject(new NotPublished(`not confirmed by RabbitMQ: ${reason.message}`));
    this.#tellIdle();
  }

  /** Resolves when RabbitMQ has confirmed it. Rejects with `NotPublished`. */
  publish(message: WireMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new NotPublished('this process is shutting down'));
      if (!this.#channel) return reject(new NotPublished('there is no connection to RabbitMQ'));
      this.#waiting.push({ ...message, resolve, reject, sentAt: 0, isReturned: false });
      this.#pump();
    });
  }

  /** Takes no more; resolves when each message that was taken is confirmed or rejected. */
  async finish(): Promise<void> {
    this.#isClosed = true;
    while (this.#unconfirmed.size + this.#waiting.length > 0)
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
      });
    clearInterval(this.#looking);
  }

  #pump(): void {
    while (this.#channel && !this.#isFull && this.#unconfirmed.size < MAX_UNCONFIRMED) {
      const outgoing = this.#waiting.shift();
      if (!outgoing) break;
      this.#send(this.#channel, outgoing);
    }
    this.#tellIdle();
  }

  #send(channel: ConfirmChannel, outgoing: Outgoing): void {
    const { exchange, routingKey, content, options } = outgoing;
    this.#unconfirmed.add(outgoing);
    outgoing.sentAt = performance.now();
    try {
      this.#isFull = !channel.publish(exchange, routingKey, content, options, (error: Error | null) =>
        this.#settle(outgoing, error),
      );
    } catch (error) {
      this.#unconfirmed.delete(outgoing);
      outgoing.reject(new NotPublished(`not sent to RabbitMQ: ${(error as Error).message}`));
    }
  }

  #settle(outgoing: Outgoing, error: Error | null): void {
    // When the channel closes amqplib calls back before anybody can say why: `detach` rejects with the reason.
    if (error && error.message === CHANNEL_CLOSED) return;
    if (!this.#unconfirmed.delete(outgoing)) return;
    if (error) outgoing.reject(new NotPublished(`refused by RabbitMQ: ${error.message}`));
    else if (outgoing.isReturned) this.#rejectReturned(outgoing);
    else outgoing.resolve();
    this.#pump();
  }

  #rejectReturned({ exchange, routingKey, reject }: Outgoing): void {
    reject(new NotPublished(`no queue takes "${routingKey}" from exchange "${exchange}"`));
    this.#options.onUnroutable();
  }

  #look(): void {
    const now = performance.now();
    if (this.#options.isBlocked()) this.#blockedAt = now;
    const [oldest] = this.#unconfirmed;
    if (!this.#channel || !oldest || now - Math.max(oldest.sentAt, this.#blockedAt) < CONFIRM_WITHIN_MS)
      return;
    const channel = this.#channel;
    this.detach(channel, new Error(`no confirmation within ${CONFIRM_WITHIN_MS} ms`));
    this.#options.onOverdue(channel);
  }

  /** Messages of one id are returned in the order in which they were sent. */
  #markReturned(messageId: unknown): void {
    for (const outgoing of this.#unconfirmed) {
      if (!outgoing.options.mandatory || outgoing.isReturned || outgoing.options.messageId !== messageId)
        continue;
      outgoing.isReturned = true;
      return;
    }
  }

  #tellIdle(): void {
    if (this.#unconfirmed.size + this.#waiting.length > 0) return;
    for (const tell of this.#idle.splice(0)) tell();
  }
}

const CHANNEL_CLOSED = 'channel closed';
