import type { TObject } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type FieldError, firstOfEachPath, invalidRequest } from './problem.ts';

/** Reads what follows the `?` of a path into what a handler takes. */
export type QueryReader = (query: string) => Readonly<Record<string, string>>;

/**
 * A reader that takes query parameters of this shape, each at most once, and answers anything else with the contract's problem. All
 * values are texts; the schemas' `rule` says for people what they must be.
 */
export function createQueryReader(schema: TObject): QueryReader {
  const check = TypeCompiler.Compile(schema);
  return (query) => {
    const given = new Map<string, string>();
    const errors: FieldError[] = [];
    for (const pair of query.split('&').filter(Boolean)) {
      const parameter = readPair(pair);
      if (!parameter) errors.push({ path: pair, message: 'is not percent-encoded UTF-8' });
      else if (!Object.hasOwn(schema.properties, parameter.name))
        errors.push({ path: parameter.name, message: `is not taken here: ${describeTaken(schema)}` });
      else if (given.has(parameter.name))
        errors.push({ path: parameter.name, message: 'is given more than once' });
      else given.set(parameter.name, parameter.value);
    }
    const value = Object.fromEntries(given);
    if (errors.length === 0 && check.Check(value)) return value as Record<string, string>;
    throw invalidRequest(firstOfEachPath(errors, named(check.Errors(value))));
  };
}

function readPair(pair: string): { name: string; value: string } | null {
  const at = pair.indexOf('=');
  const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  try {
    return { name: decode(name), value: decode(value) };
  } catch {
    return null;
  }
}

/** As forms write it, where a plus is a space. */
function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function describeTaken({ properties }: TObject): string {
  return `the query parameters of this path are ${Object.keys(properties).join(', ')}`;
}

/** A parameter goes by its name, not by a pointer into a body. */
function* named<Found extends FieldError>(found: Iterable<Found>): Generator<Found> {
  for (const error of found) yield { ...error, path: error.path.slice(1) };
}
