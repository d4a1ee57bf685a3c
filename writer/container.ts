import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { connectDatabase, type Database, WRITING_SESSION } from '../engine/database/database.ts';
import { createRedisClient, duplicateClient, type RedisClient } from '../engine/redis/client.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger, type Logger } from '../engine/runtime/logger.ts';
import type { WriterConfig } from './config.ts';
import { DrainLoop } from './drain-loop.ts';

/** The parts of the writer process that its `main.ts` starts and stops. */
export interface Writer {
  readonly logger: Logger;
  readonly redis: RedisClient;
  readonly blockingRedis: RedisClient;
  readonly database: Database;
  readonly drainLoop: DrainLoop;
}

const TOKENS: { readonly [Name in keyof Writer]: InjectionToken<Writer[Name]> } = {
  logger: Symbol('logger'),
  redis: Symbol('redis'),
  blockingRedis: Symbol('blockingRedis'),
  database: Symbol('database'),
  drainLoop: Symbol('drainLoop'),
};

/** Wires the writer process; each part is made once, when it is first asked for. */
export function createWriter(config: WriterConfig): Writer {
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
      }),
  );

  return {
    logger: get('logger'),
    redis: get('redis'),
    blockingRedis: get('blockingRedis'),
    database: get('database'),
    drainLoop: get('drainLoop'),
  };
}
