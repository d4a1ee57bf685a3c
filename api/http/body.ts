import { isUtf8 } from 'node:buffer';
import type { TSchema } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { type FieldError, invalidRequest, Problem } from './problem.ts';

/** The largest order has 1,000 lines; with the longest SKUs that is well below this. */
export const MAX_BODY_BYTES = 1_048_576;
const MAX_ERRORS = 20;

/** Reads a body's bytes into what a handler takes. */
export type BodyReader = (contentType: string, bytes: Buffer) => unknown;

/** A reader that takes JSON of this shape and answers anything else with the contract's problem. */
export function createBodyReader(schema: TSchema): BodyReader {
  const check = TypeCompiler.Compile(schema);
  return (contentType, bytes) => {
    assertJson(contentType);
    const value = parse(bytes);
    if (!check.Check(value)) throw invalidRequest(describeErrors(check, value));
    return value;
  };
}

function assertJson(contentType: string): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (type !== 'application/json' || (charset && !/^charset="?utf-8"?$/.test(charset))) {
    throw new Problem('unsupported_media_type', 'send application/json in UTF-8');
  }
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalidRequest([{ path: '', message: 'is not UTF-8' }]);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalidRequest([{ path: '', message: `is not JSON: ${(error as Error).message}` }]);
  }
}

function describeErrors(check: TypeCheck<TSchema>, value: unknown): FieldError[] {
  const errors: FieldError[] = [];
  for (const { path, message } of check.Errors(value)) {
    if (!errors.some((error) => error.path === path)) errors.push({ path, message });
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}
