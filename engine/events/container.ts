import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { type Broker, connectBroker } from '../broker/broker.ts';
import { connectDatabase, type Database } from '../database/database.ts';
import { ORIGIN } from '../domain/position.ts';
import { Heartbeat } from '../processes/heartbeat.ts';
import { createRedisClient, type RedisClient } from '../redis/client.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { MetricsPage } from '../runtime/metrics-page.ts';
import type { SchedulerConfig } from './config.ts';
import { reportScheduler, sampleScheduler } from './observe.ts';

/** The parts of the scheduler process that its `main.ts` starts and stops. */
export interface Scheduler {
  readonly logger: Logger;
  readonly broker: Broker;
  readonly redis: RedisClient;
  readonly database: Database;
  readonly heartbeat: Heartbeat;
  readonly metrics: MetricsPage;
  /** Where the process answers `/metrics`, once it does. */
  readonly probe: { url: string | null };
}

const TOKENS: { readonly [Name in keyof Scheduler]: InjectionToken<Scheduler[Name]> } = {
  logger: Symbol('logger'),
  broker: Symbol('broker'),
  redis: Symbol('redis'),
  database: Symbol('database'),
  heartbeat: Symbol('heartbeat'),
  metrics: Symbol('metrics'),
  probe: Symbol('probe'),
};

/** Wires the scheduler process; each part is made once, when it is first asked for. */
export async function createScheduler(config: SchedulerConfig): Promise<Scheduler> {
  const container = root.createChildContainer();
  const get = <Name extends keyof Scheduler>(name: Name): Scheduler[Name] => container.resolve(TOKENS[name]);
  const provide = <Name extends keyof Scheduler>(name: Name, make: () => Scheduler[Name]) =>
    container.register(TOKENS[name], { useFactory: instanceCachingFactory(make) });

  provide('logger', () => createLogger('scheduler', config.LOG_LEVEL));
  const broker = connectBroker({ url: config.AMQP_URL, kind: 'scheduler', logger: get('logger') });
  provide('broker', () => broker);
  provide('redis', () => {
    const logger = get('logger');
    return createRedisClient(config.REDIS_URL, (error) => logger.warn({ error: error.message }, 'Redis'));
  });
  provide('database', () => connectDatabase(config.DATABASE_URL, 1));
  provide('probe', () => ({ url: null }));
  provide(
    'heartbeat',
    () =>
      new Heartbeat({
        kind: 'scheduler',
        redis: get('redis'),
        database: get('database'),
        clock: systemClock,
        logger: get('logger'),
        url: () => get('probe').url,
        acknowledged: () => ORIGIN,
        report: () => reportScheduler(broker),
      }),
  );
  provide('metrics', () => new MetricsPage('scheduler', () => sampleScheduler(broker, get('heartbeat'))));

  return {
    logger: get('logger'),
    broker,
    redis: get('redis'),
    database: get('database'),
    heartbeat: get('heartbeat'),
    metrics: get('metrics'),
    probe: get('probe'),
  };
}
