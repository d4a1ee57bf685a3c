import { createHash } from 'node:crypto';
import type { GetMessage } from 'amqplib';

/** Of the SHA-256: enough for whoever names one among thousands. */
const DIGEST_CHARACTERS = 12;
const DIGEST_PREFIX = 'body:';

/** A message that nobody could handle, as it lies in the queue of the dead letters. */
export interface DeadMessage {
  readonly messageId: string | null;
  /** `body:` and the first digits of a hash of routing key and body: the same for the same message however often it is there. */
  readonly digest: string;
  readonly routingKey: string;
  /** The queue in which it could not be handled; null where nothing says so. */
  readonly queue: string | null;
  readonly reason: string | null;
  /** When a consumer put it here, or RabbitMQ at the delivery limit; null where nothing says when. */
  readonly diedAt: Date | null;
  readonly content: Buffer;
}

/** Reads what the headers tell, those of our consumers (`bury`) before those of RabbitMQ. Never throws: anybody may have written them. */
export function readDeadMessage({ content, fields, properties }: GetMessage): DeadMessage {
  const headers: Record<string, unknown> = properties.headers ?? {};
  const [death] = Array.isArray(headers['x-death']) ? (headers['x-death'] as (Death | null)[]) : [];
  return {
    messageId: text(properties.messageId),
    digest: digestOf(fields.routingKey, content),
    routingKey: fields.routingKey,
    queue: text(headers['x-original-queue']) ?? text(headers['x-first-death-queue']) ?? text(death?.queue),
    reason: text(headers['x-reason']) ?? text(headers['x-first-death-reason']) ?? text(death?.reason),
    diedAt:
      readDate(Date.parse(text(headers['x-died-at']) ?? '')) ?? readDate(Number(death?.time?.value) * 1_000),
    content,
  };
}

/** Whether it is one that `id` names: its message id, or its digest. */
export function isNamed({ messageId, digest }: DeadMessage, id: string): boolean {
  return id === messageId || id === digest;
}

interface Death {
  readonly queue?: unknown;
  readonly reason?: unknown;
  /** As amqplib tells timestamps: seconds since 1970. */
  readonly time?: { readonly value?: unknown };
}

function digestOf(routingKey: string, content: Buffer): string {
  const hash = createHash('sha256').update(routingKey).update('\0').update(content);
  return DIGEST_PREFIX + hash.digest('hex').slice(0, DIGEST_CHARACTERS);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function readDate(ms: number): Date | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date;
}
