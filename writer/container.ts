import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { connectDatabase, type Database, WRITING_SESSION } from '../engine/database/database.ts';
import { ORIGIN } from '../engine/domain/position.ts';
import { Heartbeat } from '../engine/processes/heartbeat.ts';
import { createRedisClient, duplicateClient, type RedisClient } from '../engine/redis/client.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger, type Logger } from '../engine/runtime/logger.ts';
import { MetricsPage } from '../engine/runtime/metrics-page.ts';
import type { WriterConfig } from './config.ts';
import { DrainLoop, type DrainLoopOptions } from './drain-loop.ts';
import { type Observed, reportWriter, sampleWriter } from './observe.ts';
import { RecoveryWatch } from './recovery/recovery-watch.ts';

/** The parts of the writer process that its `main.ts` starts and stops. */
export interface Writer {
  readonly logger: Logger;
  readonly redis: RedisClient;
  readonly blockingRedis: RedisClient;
  readonly database: Database;
  readonly drainLoop: DrainLoop;
  readonly recoveryWatch: RecoveryWatch;
  /** For the heartbeat and the metrics, which must be heard of while all other connections wait for MariaDB. */
  readonly heartbeatDatabase: Database;
  readonly heartbeat: Heartbeat;
  readonly metrics: MetricsPage;
  /** Where the process answers `/metrics`, once it does. */
  readonly probe: { url: string | null };
}

const TOKENS: { readonly [Name in keyof Writer]: InjectionToken<Writer[Name]> } = {
  logger: Symbol('logger'),
  redis: Symbol('redis'),
  blockingRedis: Symbol('blockingRedis'),
  database: Symbol('database'),
  drainLoop: Symbol('drainLoop'),
  recoveryWatch: Symbol('recoveryWatch'),
  heartbeatDatabase: Symbol('heartbeatDatabase'),
  heartbeat: Symbol('heartbeat'),
  metrics: Symbol('metrics'),
  probe: Symbol('probe'),
};

/** One for the heartbeat, one for whoever asks for the metrics. */
const HEARTBEAT_CONNECTIONS = 2;

/**
 * Wires the writer process; each part is made once, when it is first asked for. `at` is told of the moments around a commit:
 * tests kill a writer there.
 */
export function createWriter(config: WriterConfig, at?: DrainLoopOptions['at']): Writer {
  const container = root.createChildContainer();
  const get = <Name extends keyof Writer>(name: Name): Writer[Name] => container.resolve(TOKENS[name]);
  const provide = <Name extends keyof Writer>(name: Name, make: () => Writer[Name]) =>
    container.register(TOKENS[name], { useFactory: instanceCachingFactory(make) });
  const warn = (error: Error) => get('logger').warn({ error: error.message }, 'Redis');

  provide('logger', () => createLogger('writer', config.LOG_LEVEL));
  provide('redis', () => createRedisClient(config.REDIS_URL, warn));
  provide('blockingRedis', () => duplicateClient(get('redis'), warn));
  provide('database', () =>
    connectDatabase(config.DATABASE_URL, config.DATABASE_CONNECTIONS, WRITING_SESSION),
  );
  provide(
    'drainLoop',
    () =>
      new DrainLoop({
        redis: get('redis'),
        blockingRedis: get('blockingRedis'),
        database: get('database'),
        clock: systemClock,
        logger: get('logger'),
        entriesPerTransaction: config.WRITER_ENTRIES,
        ...(at && { at }),
      }),
  );
  provide(
    'recoveryWatch',
    () =>
      new RecoveryWatch({
        redis: get('redis'),
        database: get('database'),
        clock: systemClock,
        logger: get('logger'),
        needs: { appendfsync: config.REDIS_APPENDFSYNC },
      }),
  );
  provide('heartbeatDatabase', () => connectDatabase(config.DATABASE_URL, HEARTBEAT_CONNECTIONS));
  provide('probe', () => ({ url: null }));
  const observed: Observed = {
    drainLoop: get('drainLoop'),
    recoveryWatch: get('recoveryWatch'),
    redis: get('redis'),
    database: get('heartbeatDatabase'),
    heartbeat: () => get('heartbeat'),
  };
  provide(
    'heartbeat',
    () =>
      new Heartbeat({
        kind: 'writer',
        redis: get('redis'),
        database: get('heartbeatDatabase'),
        clock: systemClock,
        logger: get('logger'),
        url: () => get('probe').url,
        acknowledged: () => ORIGIN,
        report: () => reportWriter(observed),
      }),
  );
  provide('metrics', () => new MetricsPage('writer', () => sampleWriter(observed)));

  return {
    logger: get('logger'),
    redis: get('redis'),
    blockingRedis: get('blockingRedis'),
    database: get('database'),
    drainLoop: get('drainLoop'),
    recoveryWatch: get('recoveryWatch'),
    heartbeatDatabase: get('heartbeatDatabase'),
    heartbeat: get('heartbeat'),
    metrics: get('metrics'),
    probe: get('probe'),
  };
}
