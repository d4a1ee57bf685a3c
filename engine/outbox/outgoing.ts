import type { OutgoingMessage } from '../broker/broker.ts';
import type { OutwardMessage } from './outward-message.ts';

/** A message as RabbitMQ takes it. Where nobody has bound a queue to its type, it is forgotten: nobody wants to know. */
export function outgoingOf(message: OutwardMessage): OutgoingMessage {
  const { id, type } = message;
  return { routingKey: type, type, messageId: id, body: message };
}
