import { type Config, readConfig, type VariableName } from '../config/environment.ts';
import { DECIDING_VARIABLES } from '../journal/behind-gate.ts';

/** The environment variables of the scheduler process. */
export const SCHEDULER_VARIABLES = [
  'REDIS_URL',
  'DATABASE_URL',
  'AMQP_URL',
  'SCHEDULER_ROLES',
  'LOG_LEVEL',
  'METRICS_HOST',
  'METRICS_PORT',
  ...DECIDING_VARIABLES,
  'STOCK_LOW_UNITS',
  'DATABASE_CONNECTIONS',
] as const satisfies readonly VariableName[];

export type SchedulerConfig = Config<(typeof SCHEDULER_VARIABLES)[number]>;

/** Reads the scheduler's configuration; throws `ConfigError`. */
export function readSchedulerConfig(environment: NodeJS.ProcessEnv): SchedulerConfig {
  return readConfig(environment, SCHEDULER_VARIABLES);
}
