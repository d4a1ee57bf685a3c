import type { DeadMessage } from '../../engine/broker/dead-letter-queue.ts';
import { alignColumns } from '../columns.ts';
import { showable } from '../showable.ts';

const PREVIEW_BYTES = 240;
const PREVIEW_CHARACTERS = 60;
/** A shell passes it on as it is shown, and no option looks like it. */
const TYPABLE = /^[^\s\p{C}"'`$\\;&|<>(){}*?!#~-][^\s\p{C}"'`$\\;&|<>(){}*?!]*$/u;

/** The ID by which people name it: its message id, or where that is missing or cannot be typed its digest. */
export function nameOf({ messageId, digest }: DeadMessage): string {
  return messageId !== null && TYPABLE.test(messageId) ? messageId : digest;
}

/** All of it; a body that is no UTF-8 in base64. */
export function toJson(message: DeadMessage) {
  const { messageId, digest, routingKey, queue, reason, diedAt, content } = message;
  const text = readUtf8(content);
  return {
    id: nameOf(message),
    ...{ messageId, digest, routingKey, queue, reason, diedAt, bytes: content.length },
    ...(text === null
      ? { body: content.toString('base64'), encoding: 'base64' }
      : { body: text, encoding: 'utf-8' }),
  };
}

/** Where there is no queue for them. */
export const NONE_EVER = 'no dead messages';

/** Of what others have in hand, or a dead connection had a moment ago, RabbitMQ tells nobody. */
export const NONE_SEEN = 'no dead messages, but for what another shell has in hand';

/** A table of those that are shown, and how many wait. */
export function describeAll(shown: readonly DeadMessage[], waiting: number): string {
  if (shown.length === 0)
    return waiting === 0 ? NONE_SEEN : `${waiting} wait, and another shell has them in hand`;
  const rows = shown.map((message) => {
    const { routingKey, queue, reason, diedAt, content } = message;
    return [
      nameOf(message),
      routingKey,
      queue ?? '?',
      diedAt?.toISOString() ?? '-',
      String(content.length),
      reason ?? '?',
      preview(content),
    ];
  });
  const head = ['ID', 'ROUTING KEY', 'QUEUE', 'DIED', 'BYTES', 'REASON', 'BODY'];
  const count =
    shown.length < waiting ? `${waiting} wait, ${shown.length} are shown` : `${shown.length} wait`;
  return [...alignColumns([head, ...rows]), count].join('\n');
}

function preview(content: Buffer): string {
  const text = showable(content.subarray(0, PREVIEW_BYTES).toString());
  const shown = text.slice(0, PREVIEW_CHARACTERS);
  return shown.length < text.length || content.length > PREVIEW_BYTES ? `${shown}…` : shown;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readUtf8(content: Buffer): string | null {
  try {
    return decoder.decode(content);
  } catch {
    return null;
  }
}
