import { createReadStream } from 'node:fs';
import type { TSchema } from '@sinclair/typebox';
import { createBodyReader } from '../../api/http/body.ts';
import { type FieldError, firstOfEachPath, Problem } from '../../api/http/problem.ts';
import type { Reading } from '../../engine/events/event-draft.ts';
import { CommandFailure } from '../failure.ts';
import { bodyOfOptions, type DraftOptions, optionOf } from './draft-options.ts';

/** What a command was asked for, of the contract's shape, and how the person who typed it knows its members. */
export interface Asked<Body> {
  readonly body: Body;
  readonly nameOf: (path: string) => string;
}

/** Reads JSON of `schema`'s shape from `file` (`-` = standard input) or else from options. A `CommandFailure` says all that is wrong. */
export async function readAsked<Body>(
  schema: TSchema,
  file: string | undefined,
  options: DraftOptions,
): Promise<Asked<Body>> {
  const stated = bodyOfOptions(options);
  const isStated = Object.keys(stated).length > 0;
  if (file !== undefined && isStated)
    throw new CommandFailure('say it in FILE or in options, not in both: nothing was changed');
  if (file === undefined && !isStated)
    throw new CommandFailure('say what it is to be, in FILE or in options: see --help');
  const bytes = file === undefined ? Buffer.from(JSON.stringify(stated)) : await readBytes(file);
  return readBody(schema, bytes, file === undefined ? optionOf : (path) => path || 'the file');
}

/** Reads these bytes as the api reads a body. */
export function readBody<Body>(
  schema: TSchema,
  bytes: Buffer,
  nameOf: (path: string) => string,
): Asked<Body> {
  try {
    return { body: createBodyReader(schema)('application/json', bytes) as Body, nameOf };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw refusal((error.options.members?.errors ?? []) as FieldError[], nameOf);
  }
}

/** What was asked for. Throws a `CommandFailure` where something is wrong with it. */
export function soundOf<Sound>(reading: Reading<Sound>, nameOf: (path: string) => string): Sound {
  if ('faults' in reading) throw refusal(reading.faults, nameOf);
  return reading.asked;
}

function refusal(errors: readonly FieldError[], nameOf: (path: string) => string): CommandFailure {
  const lines = firstOfEachPath(errors).map(({ path, message }) => `${nameOf(path)}: ${message}`);
  return new CommandFailure(`${lines.join('; ')}: nothing was changed`);
}

async function readBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const source = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  } catch (error) {
    const name = file === '-' ? 'standard input' : file;
    throw new CommandFailure(`${name} cannot be read: ${whyUnread(error)}: nothing was changed`);
  }
  return Buffer.concat(chunks);
}

const WHY_UNREAD: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'you may not read it',
};

function whyUnread(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return WHY_UNREAD[code ?? ''] ?? message;
}
