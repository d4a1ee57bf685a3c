import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { type Broker, connectBroker } from '../broker/broker.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import type { SchedulerConfig } from './config.ts';

/** The parts of the scheduler process that its `main.ts` starts and stops. */
export interface Scheduler {
  readonly logger: Logger;
  readonly broker: Promise<Broker>;
}

const TOKENS: { readonly [Name in keyof Scheduler]: InjectionToken<Scheduler[Name]> } = {
  logger: Symbol('logger'),
  broker: Symbol('broker'),
};

/** Wires the scheduler process; each part is made once, when it is first asked for. */
export function createScheduler(config: SchedulerConfig): Scheduler {
  const container = root.createChildContainer();
  const get = <Name extends keyof Scheduler>(name: Name): Scheduler[Name] => container.resolve(TOKENS[name]);
  const provide = <Name extends keyof Scheduler>(name: Name, make: () => Scheduler[Name]) =>
    container.register(TOKENS[name], { useFactory: instanceCachingFactory(make) });

  provide('logger', () => createLogger('scheduler', config.LOG_LEVEL));
  provide('broker', () => connectBroker(config.AMQP_URL, get('logger')));

  return { logger: get('logger'), broker: get('broker') };
}
