import { type ChannelModel, connect } from 'amqplib';
import { within } from '../runtime/deadline.ts';
import { countWaiting } from './dead-letter-queue.ts';

/** What RabbitMQ says of itself. */
export interface BrokerProbe {
  readonly version: string;
  /** Dead letters that wait, without those in somebody's hand; null where their queue does not answer. */
  readonly deadMessages: number | null;
}

/** Connects to RabbitMQ and closes again. Rejects when it does not answer. */
export async function probeBroker(url: string, withinMs: number): Promise<BrokerProbe> {
  const connection = await connect(url, { timeout: withinMs });
  connection.on('error', () => undefined); // what is asked rejects with it
  const { version = 'unknown' } = connection.connection.serverProperties as { version?: string };
  // Of RabbitMQ that answers and a queue that does not, the former is to be told as well.
  const deadMessages = await within(withinMs / 2, countDeadMessages(connection)).catch(() => null);
  await connection.close().catch(() => undefined); // RabbitMQ closes it where it finds that a queue does not answer
  return { version, deadMessages };
}

/** A queue that is not there has never had any. */
async function countDeadMessages(connection: ChannelModel): Promise<number> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // the question rejects with it
  return (await countWaiting(channel)) ?? 0;
}
