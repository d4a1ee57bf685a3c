import type { Channel } from 'amqplib';

/** Names that outsiders rely on (the contract, "RabbitMQ"). */
export const EXCHANGE = 'bootakhae';
export const DEAD_LETTER_EXCHANGE = 'bootakhae.dead';

/** A delivery that failed this often goes to the dead-letter exchange: it is neither lost nor tried for ever. */
const DELIVERY_LIMIT = 20;

/** Each queue with the routing keys that lead to it. */
export const QUEUES = [
  { name: 'bootakhae.events', routingKeys: ['event.open', 'event.close'] },
  { name: 'bootakhae.stock-recovery', routingKeys: ['stock.recover'] },
] as const;

export const DEAD_LETTER_QUEUE = 'bootakhae.dead-letters';

/**
 * Declares exchanges, queues and bindings; declaring what is there already changes nothing. All are durable and all
 * queues are quorum queues. Rejects when something of the same name is there with other properties.
 */
export async function declareTopology(channel: Channel): Promise<void> {
  await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  await channel.assertExchange(DEAD_LETTER_EXCHANGE, 'topic', { durable: true });
  await channel.assertQueue(DEAD_LETTER_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(DEAD_LETTER_QUEUE, DEAD_LETTER_EXCHANGE, '#');
  for (const { name, routingKeys } of QUEUES) {
    await channel.assertQueue(name, { durable: true, arguments: queueArguments() });
    for (const routingKey of routingKeys) await channel.bindQueue(name, EXCHANGE, routingKey);
  }
}

/** A delivery limit without a dead-letter exchange would delete the message: the two go together. */
function queueArguments() {
  return {
    'x-queue-type': 'quorum',
    'x-delivery-limit': DELIVERY_LIMIT,
    'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
  };
}
