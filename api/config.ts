import { type Config, readConfig, type VariableName } from '../engine/config/environment.ts';

/** The environment variables of the api process. */
export const API_VARIABLES = [
  'REDIS_URL',
  'DATABASE_URL',
  'AUTH_SECRET',
  'HOST',
  'PORT',
  'LOG_LEVEL',
  'REDIS_APPENDFSYNC',
  'REDIS_REPLICAS',
  'REDIS_REPLICA_WAIT_MS',
  'BATCH_ORDERS',
  'BATCH_LINES',
  'BATCH_LANES',
  'QUEUE_ORDERS',
  'QUEUE_WAIT_MS',
  'DECISION_DEADLINE_MS',
  'IDEMPOTENCY_HOURS',
  'HOLD_SECONDS',
  'JOURNAL_BYTES',
  'JOURNAL_ENTRIES',
  'DATABASE_CONNECTIONS',
  'LIVE_CLIENTS',
  'LIVE_WRITES_PER_SECOND',
] as const satisfies readonly VariableName[];

export type ApiConfig = Config<(typeof API_VARIABLES)[number]>;

/** Reads the api's configuration; throws `ConfigError`. */
export function readApiConfig(environment: NodeJS.ProcessEnv): ApiConfig {
  return readConfig(environment, API_VARIABLES);
}
