import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { packageRoot } from '../runtime/package-root.ts';
import type { RedisClient } from './client.ts';

/** A Lua script, ready to be called: its whole text with the fragments in, and the SHA-1 that Redis knows it by. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

const INCLUDE = /^--@include ([a-z-]+)$/gm;

/** Reads `lua/<name>.lua` and puts its fragments in. Throws when a file is missing. */
export function loadScript(name: string): Script {
  const folder = `${packageRoot}/lua`;
  const body = readFileSync(`${folder}/${name}.lua`, 'utf8');
  const text = body.replace(INCLUDE, (_, fragment: string) =>
    readFileSync(`${folder}/fragments/${fragment}.lua`, 'utf8'),
  );
  return { name, text, sha: createHash('sha1').update(text).digest('hex') };
}

/** The keys and arguments of one call. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer | number)[];
}

/**
 * Calls a script by its SHA-1, and with its text where Redis does not know it: NOSCRIPT means that nothing ran, so
 * calling again is safe. Resolves to the raw reply; rejects with what the driver says.
 */
export async function callScript(redis: RedisClient, script: Script, call: ScriptCall): Promise<unknown> {
  const rest = [call.keys.length, ...call.keys, ...call.args] as const;
  try {
    return await redis.callBuffer('EVALSHA', script.sha, ...rest);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return await redis.callBuffer('EVAL', script.text, ...rest);
  }
}
