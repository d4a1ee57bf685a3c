import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import type { Logger } from '../runtime/logger.ts';
import { declareTopology } from './topology.ts';

/** A connection to RabbitMQ that comes back by itself, with the topology declared each time. */
export interface Broker {
  readonly isConnected: boolean;
  close(): Promise<void>;
}

const MAX_DELAY_MS = 5_000;

/** Connects in the background: a broker that is away holds up nothing, and is said so in the log. */
export async function connectBroker(url: string, logger: Logger): Promise<Broker> {
  const connection = await connect(url, {
    recovery: {
      waitForConnect: false,
      maxDelay: MAX_DELAY_MS,
      async setup(model: ChannelModel) {
        const channel = await model.createChannel();
        await declareTopology(channel);
        await channel.close();
      },
    },
  });
  tell(connection, logger);
  const state = { isConnected: false };
  connection.on('connect', () => {
    state.isConnected = true;
  });
  connection.on('disconnect', () => {
    state.isConnected = false;
  });
  return {
    get isConnected() {
      return state.isConnected;
    },
    close: () => connection.close(),
  };
}

function tell(connection: RecoveringChannelModel, logger: Logger): void {
  connection.on('connect', () => logger.info('RabbitMQ connected, topology declared'));
  connection.on('disconnect', (error) => logger.warn({ error: error?.message }, 'RabbitMQ is away'));
  connection.on('connect-failed', (error) => logger.warn({ error: error.message }, 'RabbitMQ not reached'));
  connection.on('error', (error) => logger.warn({ error: error.message }, 'RabbitMQ'));
}
