import { type Config, readConfig, type VariableName } from '../config/environment.ts';

/** The environment variables of the scheduler process. */
export const SCHEDULER_VARIABLES = ['AMQP_URL', 'LOG_LEVEL'] as const satisfies readonly VariableName[];

export type SchedulerConfig = Config<(typeof SCHEDULER_VARIABLES)[number]>;

/** Reads the scheduler's configuration; throws `ConfigError`. */
export function readSchedulerConfig(environment: NodeJS.ProcessEnv): SchedulerConfig {
  return readConfig(environment, SCHEDULER_VARIABLES);
}
