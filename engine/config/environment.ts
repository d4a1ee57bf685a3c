import { VARIABLES } from './variables.ts';

export type VariableName = keyof typeof VARIABLES;

/** The values of the variables `Name`, read and checked. */
export type Config<Name extends VariableName> = {
  readonly [N in Name]: ReturnType<(typeof VARIABLES)[N]['read']>;
};

/** A variable is missing or wrong; `message` is one line that names it and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the variables `names` from `environment`; an empty one counts as not set. Returns a frozen object. Throws
 * `ConfigError` for the first that is missing or wrong.
 */
export function readConfig<Name extends VariableName>(
  environment: NodeJS.ProcessEnv,
  names: readonly Name[],
): Config<Name> {
  return Object.freeze(
    Object.fromEntries(names.map((name) => [name, readVariable(environment, name)])),
  ) as Config<Name>;
}

function readVariable(environment: NodeJS.ProcessEnv, name: VariableName): unknown {
  const variable = VARIABLES[name];
  const text = environment[name] || ('fallback' in variable ? variable.fallback : undefined);
  if (text === undefined) throw new ConfigError(`${name} is not set (${variable.description})`);
  try {
    return variable.read(text);
  } catch (error) {
    throw new ConfigError(`${name} is wrong: ${(error as Error).message}`);
  }
}

/** A line for each of `names`, for `--help`. */
export function describeVariables(names: readonly VariableName[]): string {
  const width = Math.max(...names.map((name) => name.length));
  return names
    .map((name) => {
      const { description, fallback } = VARIABLES[name];
      return `  ${name.padEnd(width)}  ${description} (${fallback === undefined ? 'required' : fallback})`;
    })
    .join('\n');
}
