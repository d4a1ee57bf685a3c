import { isUtf8 } from 'node:buffer';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { findLaxJson } from '../../engine/domain/strict-json.ts';
import { firstOfEachPath, invalidRequest, MAX_ERRORS, Problem } from './problem.ts';

/** The largest order has 1,000 lines; with the longest SKUs that is well below this. */
export const MAX_BODY_BYTES = 1_048_576;

/** Reads a body's bytes into what a handler takes. */
export type BodyReader = (contentType: string, bytes: Buffer) => unknown;

const PLAIN_TYPE = 'application/json';

/**
 * A reader that takes JSON of this shape and answers anything else with the contract's problem.
 *
 * @param readPlain a short way for bodies that are written as most are: reads a text (its bytes, each as one
 *   character) to what the long way would read it to, or returns null for whatever the long way has to look at
 */
export function createBodyReader(schema: TSchema, readPlain?: (text: string) => unknown): BodyReader {
  const check = TypeCompiler.Compile(schema);
  return (contentType, bytes) => {
    const plain = contentType === PLAIN_TYPE ? readPlain?.(bytes.toString('latin1')) : null;
    if (plain) return plain;
    assertJson(contentType);
    const text = decode(bytes);
    const value = parse(text);
    const lax = findLaxJson(text, MAX_ERRORS);
    if (lax.length === 0 && check.Check(value)) return value;
    throw invalidRequest(firstOfEachPath(check.Errors(value), lax));
  };
}

function assertJson(contentType: string): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (type !== PLAIN_TYPE || (charset && !/^charset="?utf-8"?$/.test(charset))) {
    throw new Problem('unsupported_media_type', 'send application/json in UTF-8');
  }
}

function decode(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw invalidRequest([{ path: '', message: 'is not UTF-8' }]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidRequest([{ path: '', message: `is not JSON: ${(error as Error).message}` }]);
  }
}
