import { InvalidArgumentError, Option } from 'commander';
import { OutcomeUnknown } from '../../engine/domain/fault.ts';
import { IDEMPOTENCY_KEY_PATTERN, tokenOf } from '../../engine/domain/idempotency.ts';
import { CommandFailure } from '../failure.ts';

/** Nobody's: no token can name it, so keys given here never meet those of requests over HTTP. */
const USER_OF_THE_COMMAND = '';

/** `--id KEY`: the same `what` with the same key is done once. */
export function keyOption(what: string): Option {
  return new Option(
    '--id <key>',
    `the same ${what} with the same key is made once, however often it is sent`,
  ).argParser(readKey);
}

/** The token of what is asked under a key of `--id`, if there is one; `command` is part of what is asked. */
export function tokenFor(key: string | undefined, command: string, asked: unknown): string | undefined {
  if (key === undefined) return undefined;
  const body = Buffer.from(JSON.stringify(asked));
  return tokenOf({ user: USER_OF_THE_COMMAND, key, target: command, body });
}

/** Says what to do where it is not known whether something was done. */
export function explainUnknown(error: Error): never {
  if (!(error instanceof OutcomeUnknown)) throw error;
  throw new CommandFailure(
    `whether it was done is not known (${error.message}): with --id, try again to find out`,
  );
}

function readKey(text: string): string {
  if (IDEMPOTENCY_KEY_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('expected 1 to 255 visible ASCII characters');
}
