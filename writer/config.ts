import { type Config, readConfig, type VariableName } from '../engine/config/environment.ts';

/** The environment variables of the writer process. */
export const WRITER_VARIABLES = [
  'REDIS_URL',
  'DATABASE_URL',
  'REDIS_APPENDFSYNC',
  'LOG_LEVEL',
  'WRITER_ENTRIES',
  'IDEMPOTENCY_HOURS',
  'OUTBOX_DAYS',
  'DATABASE_CONNECTIONS',
  'METRICS_HOST',
  'METRICS_PORT',
] as const satisfies readonly VariableName[];

export type WriterConfig = Config<(typeof WRITER_VARIABLES)[number]>;

/** Reads the writer's configuration; throws `ConfigError`. */
export function readWriterConfig(environment: NodeJS.ProcessEnv): WriterConfig {
  return readConfig(environment, WRITER_VARIABLES);
}
