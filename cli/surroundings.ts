import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, ConfigError, readConfig, type VariableName } from '../engine/config/environment.ts';
import type { StackDescription } from './stack/stack-file.ts';

/** The folder of the local stack that commands look for, unless `--data` says otherwise. */
export const DEFAULT_DATA_DIRECTORY = '.bootakhae';

/**
 * The environment for a command: what is set, and for what is not set, the local stack that runs with its data in
 * `directory`, if there is one. So `bootakhae reconcile` works beside `npm start` without a word of configuration.
 */
export function surroundingEnvironment(directory = DEFAULT_DATA_DIRECTORY): NodeJS.ProcessEnv {
  return { ...stackEnvironment(directory), ...setOnly(process.env) };
}

/** The variables `names` for a command. Throws a `ConfigError` that also says when no local stack runs. */
export function readSurroundings<Name extends VariableName>(
  directory: string,
  names: readonly Name[],
): Config<Name> {
  try {
    return readConfig(surroundingEnvironment(directory), names);
  } catch (error) {
    if (!(error instanceof ConfigError) || existsSync(join(directory, 'stack.json'))) throw error;
    throw new ConfigError(
      `${error.message}, and no local stack runs in ${directory}: start one with npm start`,
    );
  }
}

function stackEnvironment(directory: string): NodeJS.ProcessEnv {
  const stack = readJson(join(directory, 'stack.json'));
  const secret = readText(join(directory, 'auth-secret'));
  return {
    ...(stack && { REDIS_URL: stack.redis, DATABASE_URL: stack.database, AMQP_URL: stack.amqp }),
    ...(secret && { AUTH_SECRET: secret.trim() }),
  };
}

function setOnly(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
}

function readJson(file: string): StackDescription | null {
  const text = readText(file);
  return text === null ? null : (JSON.parse(text) as StackDescription);
}

function readText(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
