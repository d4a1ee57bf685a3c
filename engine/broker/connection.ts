import { EventEmitter, once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { keepOpen } from './keep-open.ts';
import { SaidOnce } from './said-once.ts';

const CONNECT_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 3_000;
/** A network that swallows everything is noticed after two to three of these. */
const HEARTBEAT_SECONDS = 5;

export interface ConnectionOptions {
  readonly url: string;
  /** What RabbitMQ shows for the connection. */
  readonly name: string;
  readonly logger: Logger;
}

/**
 * The connection of a process to RabbitMQ. It comes back by itself.
 *
 * amqplib has a recovery of its own. It knows connections only, no channels, and it waits without bound for the closing
 * handshake of a connection that failed half-way: behind a network that swallows everything it never tries again.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #ending = new AbortController();
  readonly #opened = new EventEmitter();
  readonly #said: SaidOnce;
  readonly #kept: Promise<void>;
  #model: ChannelModel | null = null;
  #isBlocked = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#said = new SaidOnce(options.logger);
    this.#kept = keepOpen({
      signal: this.#ending.signal,
      open: () => this.#open(),
      onOpen: () => {
        this.#said.isWell('RabbitMQ connected');
        this.#opened.emit('open');
      },
      onLost: (reason) => this.#said.isNot('RabbitMQ is away; trying again, for ever', reason),
    });
  }

  get isOpen(): boolean {
    return this.#model !== null;
  }

  /** Whether RabbitMQ takes no messages over it now. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Lets go of the connection that is open, if one is: it says that it is open and does not answer. */
  reset(): void {
    if (this.#model) streamOf(this.#model)?.destroy(new Error('RabbitMQ does not answer'));
  }

  /** The open connection, once there is one. Rejects when `signal` aborts. */
  async whenOpen(signal: AbortSignal): Promise<ChannelModel> {
    while (!this.#model) await once(this.#opened, 'open', { signal });
    return this.#model;
  }

  /** Closes it, in order if that takes no longer than a few seconds, and for ever. */
  async close(): Promise<void> {
    this.#ending.abort();
    if (this.#model) await closeOrCut(this.#model);
    await within(CLOSE_WITHIN_MS, this.#kept).catch(() => undefined);
  }

  async #open(): Promise<{ ended: Promise<Error> }> {
    const { url, name } = this.#options;
    const model = await connect(withHeartbeat(url), {
      timeout: CONNECT_WITHIN_MS,
      noDelay: true, // small frames that wait for each other cost 40 ms a round trip
      clientProperties: { connection_name: name },
    });
    const { ended, state } = this.#follow(model);
    try {
      // A connection that was closed in the very moment of opening has said so before anybody listened; this fails on it.
      const channel = await within(CONNECT_WITHIN_MS, model.createChannel());
      await within(CONNECT_WITHIN_MS, channel.close());
      this.#ending.signal.throwIfAborted();
    } catch (error) {
      await closeOrCut(model);
      throw error;
    }
    if (state.isOpen) this.#model = model;
    return { ended };
  }

  #follow(model: ChannelModel) {
    const { logger } = this.#options;
    const state = { isOpen: true };
    let reason: Error | undefined;
    model.on('error', (error) => {
      reason = error;
    });
    model.on('handler-error', (error, event) => logger.error({ error: error.message, event }, 'RabbitMQ'));
    model.on('blocked', (why) => {
      this.#isBlocked = true;
      logger.warn({ reason: why }, 'RabbitMQ takes no messages now: it is short of memory or disk');
    });
    model.on('unblocked', () => {
      this.#isBlocked = false;
      logger.info('RabbitMQ takes messages again');
    });
    const ended = new Promise<Error>((resolve) => {
      model.on('close', (error) => {
        state.isOpen = false;
        if (this.#model === model) this.#model = null;
        this.#isBlocked = false;
        cut(model);
        resolve(error ?? reason ?? new Error('the connection was closed'));
      });
    });
    return { ended, state };
  }
}

function withHeartbeat(url: string): string {
  const whole = new URL(url);
  if (!whole.searchParams.has('heartbeat')) whole.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return whole.href;
}

async function closeOrCut(model: ChannelModel): Promise<void> {
  await within(CLOSE_WITHIN_MS, model.close()).catch(() => undefined);
  cut(model);
}

const LAST_WORDS_MS = 500;

/**
 * amqplib ends its side of the socket only, which leaves it open for as long as the other side does not answer. What was
 * written last still goes out.
 */
function cut(model: ChannelModel): void {
  setTimeout(() => streamOf(model)?.destroy(), LAST_WORDS_MS).unref();
}

/** amqplib has it, and its types do not say so. */
function streamOf({ connection }: ChannelModel): Duplex | undefined {
  return (connection as { stream?: Duplex }).stream;
}
