import type { Channel, ChannelModel } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Connection } from './connection.ts';
import { keepOpen } from './keep-open.ts';
import { SaidOnce } from './said-once.ts';

/** A quorum queue that has lost its quorum answers no declaration. */
const SET_UP_WITHIN_MS = 15_000;
const CLOSE_WITHIN_MS = 5_000;

export interface ChannelDuty<Kind extends Channel> {
  readonly connection: Connection;
  /** What it is for, for the log. */
  readonly purpose: string;
  readonly logger: Logger;
  /** Ends the keeping; a channel that is open then stays open as long as its connection. */
  readonly signal: AbortSignal;
  create(model: ChannelModel): Promise<Kind>;
  /** Declares what the channel needs and begins its work; it is closed again when this rejects. */
  setUp(channel: Kind, model: ChannelModel): Promise<void>;
  /** It is set up, and open. */
  onReady?(channel: Kind): void;
  /** The channel is gone, set up or not. */
  onClosed(channel: Kind, reason: Error): void;
}

/** RabbitMQ was reached, and did not do what the channel needs. */
class SetUpFailure extends Error {
  override readonly name = 'SetUpFailure';
}

/** Keeps a channel open over the connection, whichever of the two ends. */
export function keepChannel<Kind extends Channel>(duty: ChannelDuty<Kind>): Promise<void> {
  const { connection, purpose, logger, signal } = duty;
  const said = new SaidOnce(logger.child({ purpose }));
  return keepOpen({
    signal,
    open: () => openChannel(duty),
    onOpen: () => said.isWell('RabbitMQ channel open'),
    onLost: (reason) => {
      // Of a connection that is gone the connection itself speaks, but not of why: where RabbitMQ does not find a queue's leader
      // it closes the connection on whoever would consume, and names no queue.
      if (connection.isOpen || reason instanceof SetUpFailure)
        said.isNot('RabbitMQ channel lost; trying again, for ever', reason);
    },
  });
}

async function openChannel<Kind extends Channel>(
  duty: ChannelDuty<Kind>,
): Promise<{ ended: Promise<Error> }> {
  const model = await duty.connection.whenOpen(duty.signal);
  const channel = await within(SET_UP_WITHIN_MS, duty.create(model));
  const { ended, state } = follow(channel, duty);
  try {
    await within(SET_UP_WITHIN_MS, duty.setUp(channel, model));
  } catch (error) {
    void letGo(channel, duty.connection);
    throw new SetUpFailure((error as Error).message, { cause: error });
  }
  if (state.isOpen) duty.onReady?.(channel);
  return { ended };
}

function follow<Kind extends Channel>(channel: Kind, { logger, onClosed }: ChannelDuty<Kind>) {
  const state = { isOpen: true };
  let reason = new Error('the channel was closed');
  channel.on('error', (error) => {
    reason = error;
  });
  channel.on('handler-error', (error, event) => logger.error({ error: error.message, event }, 'RabbitMQ'));
  const ended = new Promise<Error>((resolve) => {
    channel.on('close', () => {
      state.isOpen = false;
      onClosed(channel, reason);
      resolve(reason);
    });
  });
  return { ended, state };
}

/**
 * Closes a channel that may be closed already. Where RabbitMQ does not answer, which it does not while the channel waits for a
 * queue without a leader, the connection goes with it: nothing would ever end the channel otherwise.
 */
export async function letGo(channel: Channel, connection: Connection): Promise<void> {
  const closing = channel.close().catch(() => undefined);
  await within(CLOSE_WITHIN_MS, closing).catch(() => connection.reset());
}
