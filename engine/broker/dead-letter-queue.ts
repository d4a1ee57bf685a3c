import { type Channel, type ChannelModel, connect, type GetMessage } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import { keptHeaders, keptProperties } from './dead-letters.ts';
import { type DeadMessage, readDeadMessage } from './dead-message.ts';
import { Publisher, type WireMessage } from './publisher.ts';
import { DEAD_LETTER_EXCHANGE, DEAD_LETTER_QUEUE, declareTopology, EXCHANGE } from './topology.ts';

export type { DeadMessage } from './dead-message.ts';
export { isNamed } from './dead-message.ts';

const CONNECT_WITHIN_MS = 5_000;
/** A quorum queue without a leader answers nothing. */
const ANSWER_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 3_000;
/**
 * Whatever is taken and given back counts as a delivery. RabbitMQ 4 limits those of every quorum queue to 20, and of a queue
 * without a dead-letter exchange, as this one is, it then deletes the message. So what was looked at this often is put in anew.
 */
const DELIVERIES_BEFORE_RENEWAL = 10;

/** RabbitMQ's NOT_FOUND. */
const NOT_FOUND = 404;

/** RabbitMQ is away, or went away in the middle; `message` is for people. */
export class BrokerAway extends Error {
  override readonly name = 'BrokerAway';
}

/**
 * The queue of the dead letters, in one person's hand. What was taken and neither requeued nor dropped goes back, behind
 * the others, when this is closed or the process dies; meanwhile nobody else sees it. Whatever is asked of it rejects with `BrokerAway`.
 */
export class DeadLetterQueue {
  /** Those that waited when it was opened, without those in other hands. */
  readonly count: number;
  readonly #where: string;
  readonly #model: ChannelModel;
  readonly #channel: Channel;
  readonly #delivered = new WeakMap<DeadMessage, GetMessage>();
  readonly #worn = new Set<GetMessage>();
  #publisher: Publisher | null = null;
  #isDeclared = false;

  private constructor(where: string, model: ChannelModel, channel: Channel, count: number) {
    this.#where = where;
    this.#model = model;
    this.#channel = channel;
    this.count = count;
  }

  /** Resolves to null where there is no such queue: no process that would have made it has ever run there. */
  static async open(url: string): Promise<DeadLetterQueue | null> {
    const where = new URL(url).host;
    const model = await orAway(where, connect(url, { timeout: CONNECT_WITHIN_MS, noDelay: true }));
    // What is asked then rejects, in words that do not say why.
    let ended: Error | null = null;
    const keepWhy = (error: Error) => {
      ended ??= error;
    };
    model.on('error', keepWhy);
    try {
      const channel = await orAway(where, model.createChannel());
      channel.on('error', keepWhy);
      const counting = countWaiting(channel).catch((error: Error) => Promise.reject(ended ?? error));
      const count = await orAway(`${where}, the queue "${DEAD_LETTER_QUEUE}",`, counting);
      if (count !== null) return new DeadLetterQueue(where, model, channel, count);
    } catch (error) {
      await closeModel(model);
      throw error;
    }
    await closeModel(model);
    return null;
  }

  /** Takes the next one in hand; null when no other waits. */
  async next(): Promise<DeadMessage | null> {
    const message = await this.#answered(this.#channel.get(DEAD_LETTER_QUEUE));
    if (!message) return null;
    const dead = readDeadMessage(message);
    this.#delivered.set(dead, message);
    if (deliveriesOf(message) >= DELIVERIES_BEFORE_RENEWAL) this.#worn.add(message);
    return dead;
  }

  /**
   * Publishes it as it was before it died, and only then acknowledges it: whoever dies in between, it may be there twice and is
   * never lost. Resolves to null, or to why it stays: no queue takes it, or RabbitMQ refuses it.
   */
  async requeue(dead: DeadMessage): Promise<string | null> {
    await this.#declare();
    const message = this.#delivered.get(dead)!;
    const fault = await this.#publish({
      exchange: EXCHANGE,
      routingKey: message.fields.routingKey,
      content: message.content,
      options: {
        ...keptProperties(message),
        mandatory: true,
        headers: keptHeaders(message.properties.headers ?? {}),
      },
    });
    if (fault === null) await this.#settle(message);
    return fault;
  }

  /** Gives it up for good. */
  async drop(dead: DeadMessage): Promise<void> {
    await this.#settle(this.#delivered.get(dead)!);
  }

  /** Gives back what is in hand, and disconnects. */
  async close(): Promise<void> {
    try {
      for (const message of this.#worn) await this.#renew(message);
      // Answered only after the acknowledgements before it: the connection's closing might overtake them.
      await this.#answered(this.#channel.close());
    } finally {
      await closeModel(this.#model);
    }
  }

  /** Left as it is where RabbitMQ does not take it: the next who looks tries again. */
  async #renew(message: GetMessage): Promise<void> {
    const { CC, BCC, ...headers } = message.properties.headers ?? {};
    const fault = await this.#publish({
      exchange: DEAD_LETTER_EXCHANGE,
      routingKey: message.fields.routingKey,
      content: message.content,
      options: { ...keptProperties(message), mandatory: true, headers },
    });
    if (fault === null) await this.#settle(message);
  }

  async #settle(message: GetMessage): Promise<void> {
    this.#worn.delete(message);
    await this.#answered(Promise.resolve().then(() => this.#channel.ack(message)));
  }

  /** If our queues are missing, one of somebody else who is told everything would take a message, and nobody would handle it. */
  async #declare(): Promise<void> {
    if (this.#isDeclared) return;
    const [mismatch] = await this.#answered(declareTopology(this.#model));
    if (mismatch) throw mismatch;
    this.#isDeclared = true;
  }

  /** One at a time, since RabbitMQ says of a message that no queue takes nothing but its id, which others may have too. */
  async #publish(message: WireMessage): Promise<string | null> {
    this.#publisher ??= await this.#answered(openPublisher(this.#model));
    try {
      await this.#publisher.publish(message);
      return null;
    } catch (error) {
      if (this.#publisher.isReady) return (error as Error).message;
      throw this.#wentAway((error as Error).message);
    }
  }

  async #answered<T>(answer: Promise<T>): Promise<T> {
    return await answerOr((reason) => this.#wentAway(reason), answer);
  }

  #wentAway(reason: string): BrokerAway {
    return new BrokerAway(
      `RabbitMQ at ${this.#where} went away: ${reason}. What is not said above to be gone waits still: run it again`,
    );
  }
}

/**
 * Dead letters that wait, without those in somebody's hand; null where there is no such queue. The channel is closed then.
 * Of a quorum queue without a leader, as each is for a moment when RabbitMQ starts, RabbitMQ says that it has 0. Only a leader
 * gives messages, or says that it has none: so where it is 0 this asks for one, which is not answered before there is a leader.
 */
export async function countWaiting(channel: Channel): Promise<number | null> {
  try {
    const { messageCount } = await channel.checkQueue(DEAD_LETTER_QUEUE);
    if (messageCount > 0) return messageCount;
    const message = await channel.get(DEAD_LETTER_QUEUE);
    if (!message) return 0;
    channel.nack(message, false, true);
    return message.fields.messageCount + 1;
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_FOUND) return null;
    throw error;
  }
}

async function openPublisher(model: ChannelModel): Promise<Publisher> {
  const channel = await model.createConfirmChannel();
  const publisher = new Publisher({
    onUnroutable: () => undefined, // it stays among the dead letters
    onOverdue: () => undefined, // detached already, which ends the work
    isBlocked: () => false, // whoever waits at a shell is told
  });
  let reason = new Error('the channel was closed');
  channel.on('error', (error) => {
    reason = error;
  });
  channel.on('close', () => publisher.detach(channel, reason));
  publisher.attach(channel);
  return publisher;
}

function deliveriesOf({ properties }: GetMessage): number {
  return Number(properties.headers?.['x-delivery-count'] ?? 0);
}

/** While nothing was done yet. */
async function orAway<T>(where: string, answer: Promise<T>): Promise<T> {
  return await answerOr(
    (reason) => new BrokerAway(`RabbitMQ at ${where} does not answer: ${reason}`),
    answer,
  );
}

async function answerOr<T>(fault: (reason: string) => BrokerAway, answer: Promise<T>): Promise<T> {
  try {
    return await within(ANSWER_WITHIN_MS, answer);
  } catch (error) {
    const { message, code } = error as Error & { code?: unknown };
    throw fault(message || String(code)); // of several addresses tried there is a code only
  }
}

async function closeModel(model: ChannelModel): Promise<void> {
  await within(CLOSE_WITHIN_MS, model.close()).catch(() => undefined);
}
