import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { type Broker, connectBroker, type OutgoingMessage, type Subscription } from '../broker/broker.ts';
import { dueEvents } from '../consumers/due-events.ts';
import { stockRecovery } from '../consumers/stock-recovery.ts';
import { connectDatabase, type Database, WRITING_SESSION } from '../database/database.ts';
import { MAX_LINES_OF_CALL, MAX_SETTLEMENTS_OF_CALL } from '../domain/bounds.ts';
import { ORIGIN } from '../domain/position.ts';
import { createGate, lanesBehind, readBehind } from '../journal/behind-gate.ts';
import type { Gate } from '../journal/gate.ts';
import { findOrder } from '../journal/order-finder.ts';
import { OutboxPublisher } from '../outbox/publisher.ts';
import { Heartbeat } from '../processes/heartbeat.ts';
import { type BatchCommand, Batcher } from '../redis/batcher.ts';
import { createRedisClient, type RedisClient } from '../redis/client.ts';
import { changeEvent, type EventOutcome, type EventRequest } from '../redis/commands/change-event.ts';
import {
  type SettlementOutcome,
  type SettlementRequest,
  settleOrders,
} from '../redis/commands/settle-orders.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { MetricsPage } from '../runtime/metrics-page.ts';
import { Announcer } from './announcer.ts';
import { saleEventsBehind } from './behind-gate.ts';
import type { SchedulerConfig } from './config.ts';
import { ConsumptionCounts } from './consumption-counts.ts';
import { type Observed, reportScheduler, sampleScheduler } from './observe.ts';

/** The parts of the scheduler process that its `main.ts` starts and stops; null what its roles do not need. */
export interface Scheduler {
  readonly logger: Logger;
  readonly broker: Broker;
  readonly redis: RedisClient;
  readonly database: Database;
  readonly announcer: Announcer | null;
  /** Of the announcer alone, which must notice soon that MariaDB does not answer. */
  readonly announcerDatabase: Database;
  readonly publisher: OutboxPublisher | null;
  /** Of the publisher alone, whose transactions end when it sleeps in one. */
  readonly publisherDatabase: Database;
  readonly gate: Gate | null;
  readonly events: Batcher<EventRequest, EventOutcome> | null;
  readonly settlements: Batcher<SettlementRequest, SettlementOutcome> | null;
  /** What is consumed of RabbitMQ. */
  readonly subscriptions: readonly Subscription[];
  readonly counts: ConsumptionCounts;
  readonly heartbeatDatabase: Database;
  readonly heartbeat: Heartbeat;
  readonly metrics: MetricsPage;
  readonly observed: Observed;
  /** Where the process answers `/metrics`, once it does. */
  readonly probe: { url: string | null };
}

const TOKENS: { readonly [Name in keyof Scheduler]: InjectionToken<Scheduler[Name]> } = {
  logger: Symbol('logger'),
  broker: Symbol('broker'),
  redis: Symbol('redis'),
  database: Symbol('database'),
  announcer: Symbol('announcer'),
  announcerDatabase: Symbol('announcerDatabase'),
  publisher: Symbol('publisher'),
  publisherDatabase: Symbol('publisherDatabase'),
  gate: Symbol('gate'),
  events: Symbol('events'),
  settlements: Symbol('settlements'),
  subscriptions: Symbol('subscriptions'),
  counts: Symbol('counts'),
  heartbeatDatabase: Symbol('heartbeatDatabase'),
  heartbeat: Symbol('heartbeat'),
  metrics: Symbol('metrics'),
  observed: Symbol('observed'),
  probe: Symbol('probe'),
};

/** Sooner than the announcer's lease lapses. */
const ANNOUNCER_SESSION = { initSql: [], socketTimeout: 2_000 };

/** One reads on while the other deletes what was told. */
const PUBLISHER_CONNECTIONS = 2;

/** More than messages can be in hand at once. */
const WAITING = { itemsWaiting: 1_000, waitMs: 2_000, lanes: 1 };

/** Wires the scheduler process; each part is made once, when it is first asked for. */
export function createScheduler(config: SchedulerConfig): Scheduler {
  const container = root.createChildContainer();
  const get = <Name extends keyof Scheduler>(name: Name): Scheduler[Name] => container.resolve(TOKENS[name]);
  const provide = <Name extends keyof Scheduler>(name: Name, make: () => Scheduler[Name]) =>
    container.register(TOKENS[name], { useFactory: instanceCachingFactory(make) });
  const roles = config.SCHEDULER_ROLES;
  const batcher = <Item, Outcome>(command: BatchCommand<Item, Outcome>, itemsOfCall: number) => {
    const gate = get('gate');
    const bounds = { ...WAITING, itemsOfCall, weightOfCall: MAX_LINES_OF_CALL };
    return gate && new Batcher({ ...lanesBehind(gate, get('redis'), config), command, bounds });
  };

  provide('logger', () => createLogger('scheduler', config.LOG_LEVEL));
  provide('broker', () => connectBroker({ url: config.AMQP_URL, kind: 'scheduler', logger: get('logger') }));
  provide('redis', () => {
    const logger = get('logger');
    return createRedisClient(config.REDIS_URL, (error) => logger.warn({ error: error.message }, 'Redis'));
  });
  provide('database', () => connectDatabase(config.DATABASE_URL, config.DATABASE_CONNECTIONS));
  provide('announcerDatabase', () => connectDatabase(config.DATABASE_URL, 1, ANNOUNCER_SESSION));
  provide('announcer', () => {
    if (!roles.has('announce')) return null;
    const [broker, logger] = [get('broker'), get('logger')];
    return new Announcer({ database: get('announcerDatabase'), broker, clock: systemClock, logger });
  });
  provide('publisherDatabase', () =>
    connectDatabase(config.DATABASE_URL, PUBLISHER_CONNECTIONS, WRITING_SESSION),
  );
  provide('publisher', () => {
    if (!roles.has('publish')) return null;
    const [database, logger, broker] = [get('publisherDatabase'), get('logger'), get('broker')];
    const publish = (message: OutgoingMessage) => broker.publish(message);
    return new OutboxPublisher({
      database,
      clock: systemClock,
      logger,
      lowUnits: config.STOCK_LOW_UNITS,
      publish,
    });
  });
  provide('gate', () => {
    if (!roles.has('consume')) return null;
    const [redis, database, logger] = [get('redis'), get('database'), get('logger')];
    return createGate(config, { redis, database, logger, heartbeat: get('heartbeat') });
  });
  provide('events', () => batcher(changeEvent, 1));
  provide('settlements', () => batcher(settleOrders, MAX_SETTLEMENTS_OF_CALL));
  provide('subscriptions', () => {
    const [gate, events, settlements] = [get('gate'), get('events'), get('settlements')];
    if (!gate || !events || !settlements) return [];
    const [redis, database, logger, counts] = [get('redis'), get('database'), get('logger'), get('counts')];
    const sales = saleEventsBehind({ gate, redis, changeEvent: (request) => events.submit(request) });
    return counted(counts, [
      dueEvents({
        advance: (id, occurrence) => counts.watchStep(sales.advance(id, occurrence)),
        clock: systemClock,
        logger,
      }),
      stockRecovery({
        findOrder: (id) => readBehind(gate, findOrder(redis, database, id)),
        settleOrder: (request, options) => settlements.submit(request, options),
        epoch: () => gate.epoch(),
        logger,
      }),
    ]);
  });
  provide('counts', () => new ConsumptionCounts(systemClock));
  provide('probe', () => ({ url: null }));
  provide('observed', () => ({
    roles,
    broker: get('broker'),
    announcer: get('announcer'),
    publisher: get('publisher'),
    gate: get('gate'),
    counts: get('counts'),
    heartbeat: () => get('heartbeat'),
  }));
  provide('heartbeatDatabase', () => connectDatabase(config.DATABASE_URL, 1));
  provide(
    'heartbeat',
    () =>
      new Heartbeat({
        kind: 'scheduler',
        redis: get('redis'),
        database: get('heartbeatDatabase'),
        clock: systemClock,
        logger: get('logger'),
        url: () => get('probe').url,
        acknowledged: () => get('gate')?.acknowledged ?? ORIGIN,
        report: () => reportScheduler(get('observed')),
      }),
  );
  provide('metrics', () => new MetricsPage('scheduler', () => sampleScheduler(get('observed'))));

  return {
    logger: get('logger'),
    broker: get('broker'),
    redis: get('redis'),
    database: get('database'),
    announcer: get('announcer'),
    announcerDatabase: get('announcerDatabase'),
    publisher: get('publisher'),
    publisherDatabase: get('publisherDatabase'),
    gate: get('gate'),
    events: get('events'),
    settlements: get('settlements'),
    subscriptions: get('subscriptions'),
    counts: get('counts'),
    heartbeatDatabase: get('heartbeatDatabase'),
    heartbeat: get('heartbeat'),
    metrics: get('metrics'),
    observed: get('observed'),
    probe: get('probe'),
  };
}

/** The same, with what became of each message counted. */
function counted(counts: ConsumptionCounts, subscriptions: readonly Subscription[]): Subscription[] {
  return subscriptions.map((subscription) => ({
    ...subscription,
    handle: (delivery) => counts.watchMessage(subscription.handle(delivery)),
  }));
}
