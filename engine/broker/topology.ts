import type { Channel, ChannelModel } from 'amqplib';

/** Names that outsiders rely on (the contract, "RabbitMQ"). */
export const EXCHANGE = 'bootakhae';
export const DEAD_LETTER_EXCHANGE = 'bootakhae.dead';

/** A delivery that failed this often goes to the dead-letter exchange: it is neither lost nor tried for ever. */
const DELIVERY_LIMIT = 20;

export const EVENTS_QUEUE = 'bootakhae.events';
export const STOCK_RECOVERY_QUEUE = 'bootakhae.stock-recovery';
export const DEAD_LETTER_QUEUE = 'bootakhae.dead-letters';

/** Each queue with the routing keys that lead to it. */
export const QUEUES = [
  { name: EVENTS_QUEUE, routingKeys: ['event.open', 'event.close'] },
  { name: STOCK_RECOVERY_QUEUE, routingKeys: ['stock.recover'] },
] as const;

/** Something of that name is there with other properties; `message` says what to do. */
export class TopologyMismatch extends Error {
  override readonly name = 'TopologyMismatch';
}

/** RabbitMQ's PRECONDITION_FAILED. */
const MISMATCH = 406;

/**
 * Declares exchanges, queues and bindings; declaring what is there already changes nothing. All are durable and all
 * queues are quorum queues. What is there with other properties holds up nothing else: resolves to the mismatches.
 */
export async function declareTopology(model: ChannelModel): Promise<TopologyMismatch[]> {
  const names = [DEAD_LETTER_QUEUE, ...QUEUES.map(({ name }) => name)];
  const mismatches: TopologyMismatch[] = [];
  for (const name of names) {
    // RabbitMQ closes a channel on which something did not match: each queue has one.
    const channel = await model.createChannel();
    channel.on('error', () => undefined); // the declaration rejects with it
    try {
      await declareQueue(channel, name);
    } catch (error) {
      if (!(error instanceof TopologyMismatch)) throw error;
      mismatches.push(error);
    } finally {
      channel.close().catch(() => undefined); // it may be closed already
    }
  }
  return mismatches;
}

/** Declares one of our queues with all that leads to it and away from it. Rejects with `TopologyMismatch`. */
export async function declareQueue(channel: Channel, name: string): Promise<void> {
  for (const exchange of [EXCHANGE, DEAD_LETTER_EXCHANGE]) {
    await orMismatch('exchange', exchange, channel.assertExchange(exchange, 'topic', { durable: true }));
  }
  const known = QUEUES.find((queue) => queue.name === name);
  const declared = channel.assertQueue(name, {
    durable: true,
    arguments: queueArguments(known !== undefined),
  });
  await orMismatch('queue', name, declared);
  if (!known) return void (await channel.bindQueue(name, DEAD_LETTER_EXCHANGE, '#'));
  for (const routingKey of known.routingKeys) await channel.bindQueue(name, EXCHANGE, routingKey);
}

/** A delivery limit without a dead-letter exchange would delete the message: the two go together. */
function queueArguments(isLimited: boolean) {
  if (!isLimited) return { 'x-queue-type': 'quorum' };
  return {
    'x-queue-type': 'quorum',
    'x-delivery-limit': DELIVERY_LIMIT,
    'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
  };
}

async function orMismatch(
  kind: 'queue' | 'exchange',
  name: string,
  declared: Promise<unknown>,
): Promise<void> {
  try {
    await declared;
  } catch (error) {
    const { code, message } = error as Error & { code?: number };
    if (code !== MISMATCH) throw error;
    throw new TopologyMismatch(
      `the ${kind} "${name}" is there with other properties than ours (${message}). ${REMEDIES[kind]}; it is declared again within seconds`,
    );
  }
}

const REMEDIES = {
  queue:
    'Stop whoever publishes to it, let it run empty or move its messages (shovel), and delete it: rabbitmqctl delete_queue NAME',
  exchange: 'Delete it with a management tool or an AMQP client; its bindings go with it',
} as const;
