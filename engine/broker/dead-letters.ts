import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumeMessage, Message } from 'amqplib';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import { systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Publisher, WireMessage } from './publisher.ts';
import { DEAD_LETTER_EXCHANGE } from './topology.ts';

const DELAYS = new ExponentialBackoff({ initialDelay: 200, maxDelay: 5_000 });
const MAX_REASON_CHARACTERS = 500;
const MAX_HEADERS_CHARACTERS = 8_192;

export interface Burial {
  readonly message: ConsumeMessage;
  readonly queue: string;
  readonly reason: string;
  /** Ends the trying. */
  readonly signal: AbortSignal;
}

/**
 * Publishes a message that can never be handled to the dead-letter exchange, tried until RabbitMQ has confirmed it and a queue
 * has taken it: only then may it be acknowledged. Resolves to false when `signal` aborted before that.
 */
export async function bury(publisher: Publisher, logger: Logger, burial: Burial): Promise<boolean> {
  const { queue, reason, signal, message } = burial;
  const { messageId, type } = message.properties;
  const about = { queue, reason, messageId, type, routingKey: message.fields.routingKey };
  let delay: IBackoff<unknown> | null = null;
  for (;;) {
    try {
      await publisher.publish(deadLetter(burial));
      logger.warn(about, 'message put among the dead letters');
      return true;
    } catch (error) {
      if (!delay)
        logger.warn({ ...about, error: (error as Error).message }, 'dead letter not taken; trying again');
      if (signal.aborted) return false;
      delay = delay ? delay.next(undefined) : DELAYS.next();
      await pause(delay.duration, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Body and routing key stay as they were. */
function deadLetter({ message, queue, reason }: Burial): WireMessage {
  return {
    exchange: DEAD_LETTER_EXCHANGE,
    routingKey: message.fields.routingKey,
    content: message.content,
    options: {
      ...keptProperties(message),
      mandatory: true,
      headers: {
        ...keptHeaders(message.properties.headers ?? {}),
        'x-reason': reason.slice(0, MAX_REASON_CHARACTERS),
        'x-original-queue': queue,
        'x-died-at': new Date(systemClock.nowMs()).toISOString(),
      },
    },
  };
}

/**
 * Of the properties of a message that is published again those that mean nothing to RabbitMQ itself: with an expiration it
 * would be deleted, with another's user id or a spoilt CC header it would be refused for ever.
 */
export function keptProperties({ properties }: Message) {
  const { contentType, contentEncoding, correlationId, messageId, timestamp, type, appId } = properties;
  return {
    ...{ contentType, contentEncoding, correlationId, timestamp, type, appId },
    messageId: (messageId as string | undefined) ?? randomUUID(),
    persistent: true,
  };
}

const ROUTING_HEADERS = ['CC', 'BCC'];

/** Without those of RabbitMQ, which begin with `x-`, and none where they are too many for one frame. */
export function keptHeaders(headers: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(headers).filter(
    ([name]) => !name.toLowerCase().startsWith('x-') && !ROUTING_HEADERS.includes(name),
  );
  return sizeOf(kept) > MAX_HEADERS_CHARACTERS ? {} : Object.fromEntries(kept);
}

function sizeOf(value: unknown): number {
  try {
    return JSON.stringify(value).length;
  } catch {
    return Number.POSITIVE_INFINITY; // what JSON cannot say
  }
}
