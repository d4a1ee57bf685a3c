import { findDoubledKey } from '../domain/strict-json.ts';

/** A message larger than this is nobody's honest request. */
export const MAX_BODY_BYTES = 65_536;

/** A message that can never be handled; `message` says why, for whoever looks through the dead letters. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage';
}

/** Members of a message's body; others than those that are asked for may be there. */
export type MessageBody = Readonly<Record<string, unknown>>;

/** Reads a body that must be a JSON object. Throws `BadMessage`. */
export function readBody(content: Buffer): MessageBody {
  if (content.length > MAX_BODY_BYTES)
    throw new BadMessage(`the body has ${content.length} bytes, the most is ${MAX_BODY_BYTES}`);
  const body = parse(content);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadMessage('the body is no JSON object');
  return body as MessageBody;
}

/** A member that must be a text. Throws `BadMessage`. */
export function readText(body: MessageBody, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined) throw new BadMessage(`the body has no "${name}"`);
  if (typeof value !== 'string') throw new BadMessage(`"${name}" is no text`);
  return value;
}

/** A member that must be a whole number from 1. Throws `BadMessage`. */
export function readCount(body: MessageBody, name: string): number {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined) throw new BadMessage(`the body has no "${name}"`);
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new BadMessage(`"${name}" is no whole number from 1`);
  return value as number;
}

const ECHO_CHARACTERS = 64;

/** What somebody else wrote, short enough to be told. */
export function echo(text: string): string {
  return JSON.stringify(text.length > ECHO_CHARACTERS ? `${text.slice(0, ECHO_CHARACTERS)}…` : text);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parse(content: Buffer): unknown {
  let text: string;
  try {
    text = decoder.decode(content);
  } catch {
    throw new BadMessage('the body is no UTF-8');
  }
  const body = parseText(text);
  const doubled = findDoubledKey(text); // two readers could take it for two different things
  if (doubled !== null) throw new BadMessage(`the key ${echo(doubled)} stands twice`);
  return body;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadMessage(`the body is no JSON: ${(error as Error).message.replaceAll(UNPRINTABLE, '?')}`);
  }
}

const UNPRINTABLE = /[\p{Cc}\p{Cs}]/gu;
