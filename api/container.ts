import 'reflect-metadata';
import { type InjectionToken, instanceCachingFactory, container as root } from 'tsyringe';
import { connectDatabase, type Database } from '../engine/database/database.ts';
import { readOccurrences } from '../engine/database/statements/read-occurrences.ts';
import type { AdjustmentOutcome } from '../engine/domain/adjustment.ts';
import {
  MAX_ADJUSTMENTS_OF_CALL,
  MAX_CHANGES_OF_CALL,
  MAX_PRODUCTS_OF_CALL,
  MAX_SETTLEMENTS_OF_CALL,
} from '../engine/domain/bounds.ts';
import type { OrderOutcome } from '../engine/domain/order.ts';
import type { ProductToPut, PutOutcome } from '../engine/domain/product.ts';
import type { WishlistChange, WishlistOutcome } from '../engine/domain/wishlist.ts';
import { saleEventsBehind } from '../engine/events/behind-gate.ts';
import { createGate, lanesBehind, readBehind } from '../engine/journal/behind-gate.ts';
import type { Gate } from '../engine/journal/gate.ts';
import { HoldExpirer } from '../engine/journal/hold-expirer.ts';
import { findOrder } from '../engine/journal/order-finder.ts';
import { Heartbeat } from '../engine/processes/heartbeat.ts';
import { type BatchCommand, Batcher, type BatcherBounds } from '../engine/redis/batcher.ts';
import { createRedisClient, type RedisClient } from '../engine/redis/client.ts';
import { type AdjustmentRequest, adjustStock } from '../engine/redis/commands/adjust-stock.ts';
import { changeEvent, type EventOutcome, type EventRequest } from '../engine/redis/commands/change-event.ts';
import { changeWishlists } from '../engine/redis/commands/change-wishlists.ts';
import { type OrderRequest, placeOrdersWithHold } from '../engine/redis/commands/place-orders.ts';
import { putProducts } from '../engine/redis/commands/put-products.ts';
import {
  type SettlementOutcome,
  type SettlementRequest,
  settleOrders,
} from '../engine/redis/commands/settle-orders.ts';
import { EventStockReader } from '../engine/redis/event-stock-reader.ts';
import { Lane } from '../engine/redis/lane.ts';
import { readProducts, readWishlist } from '../engine/redis/stock-reader.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger, type Logger } from '../engine/runtime/logger.ts';
import { MetricsPage } from '../engine/runtime/metrics-page.ts';
import { createAuthenticator } from './authenticate.ts';
import type { ApiConfig } from './config.ts';
import { HttpServer } from './http/server.ts';
import { LiveStock } from './live/live-stock.ts';
import { type Observed, reportApi, sampleApi } from './observe.ts';
import { OrderCounts } from './order-counts.ts';
import { createRoutes, type Services } from './routes.ts';

/** The parts of the api process that its `main.ts` starts and stops. */
export interface Api {
  readonly logger: Logger;
  readonly redis: RedisClient;
  readonly database: Database;
  readonly gate: Gate;
  readonly orders: Batcher<OrderRequest, OrderOutcome>;
  readonly products: Batcher<ProductToPut, PutOutcome>;
  readonly adjustments: Batcher<AdjustmentRequest, AdjustmentOutcome>;
  readonly wishlists: Batcher<WishlistChange, WishlistOutcome>;
  readonly settlements: Batcher<SettlementRequest, SettlementOutcome>;
  readonly events: Batcher<EventRequest, EventOutcome>;
  readonly expirer: HoldExpirer;
  readonly liveStock: LiveStock;
  readonly counts: OrderCounts;
  readonly heartbeatDatabase: Database;
  readonly heartbeat: Heartbeat;
  readonly metrics: MetricsPage;
  readonly server: HttpServer;
}

const TOKENS: { readonly [Name in keyof Api]: InjectionToken<Api[Name]> } = {
  logger: Symbol('logger'),
  redis: Symbol('redis'),
  database: Symbol('database'),
  gate: Symbol('gate'),
  orders: Symbol('orders'),
  products: Symbol('products'),
  adjustments: Symbol('adjustments'),
  wishlists: Symbol('wishlists'),
  settlements: Symbol('settlements'),
  events: Symbol('events'),
  expirer: Symbol('expirer'),
  liveStock: Symbol('liveStock'),
  counts: Symbol('counts'),
  heartbeatDatabase: Symbol('heartbeatDatabase'),
  heartbeat: Symbol('heartbeat'),
  metrics: Symbol('metrics'),
  server: Symbol('server'),
};

/** Longer than every deadline inside it, so that it is only ever the last resort. */
const REPLY_SLACK_MS = 5_000;

/** Wires the api process; each part is made once, when it is first asked for. */
export function createApi(config: ApiConfig): Api {
  const container = root.createChildContainer();
  const get = <Name extends keyof Api>(name: Name): Api[Name] => container.resolve(TOKENS[name]);
  const provide = <Name extends keyof Api>(name: Name, make: () => Api[Name]) =>
    container.register(TOKENS[name], { useFactory: instanceCachingFactory(make) });
  const batcher = <Item, Outcome>(command: BatchCommand<Item, Outcome>, bounds: BatcherBounds) => {
    return new Batcher<Item, Outcome>({ ...laneOptions(), command, bounds });
  };
  const bounds = orderBounds(config);
  const laneOptions = () => lanesBehind(get('gate'), get('redis'), config);

  provide('logger', () => createLogger('api', config.LOG_LEVEL));
  provide('redis', () => {
    const logger = get('logger');
    return createRedisClient(config.REDIS_URL, (error) => logger.warn({ error: error.message }, 'Redis'));
  });
  provide('database', () => connectDatabase(config.DATABASE_URL, config.DATABASE_CONNECTIONS));
  provide('gate', () =>
    createGate(config, {
      redis: get('redis'),
      database: get('database'),
      logger: get('logger'),
      heartbeat: get('heartbeat'),
    }),
  );
  provide('orders', () => batcher(placeOrdersWithHold(config.HOLD_SECONDS * 1_000), bounds));
  provide('settlements', () =>
    batcher(settleOrders, { ...bounds, itemsOfCall: MAX_SETTLEMENTS_OF_CALL, lanes: 1 }),
  );
  provide('expirer', () => {
    // Nobody is told of a hold that ended: should its end be forgotten, it ends again.
    const lane = new Lane({ ...laneOptions(), acknowledge: () => undefined });
    return new HoldExpirer({
      lane,
      epoch: () => api.gate.epoch(),
      nowMs: () => systemClock.nowMs(),
      logger: get('logger'),
    });
  });
  provide('products', () => batcher(putProducts, { ...bounds, itemsOfCall: MAX_PRODUCTS_OF_CALL, lanes: 1 }));
  provide('adjustments', () =>
    batcher(adjustStock, { ...bounds, itemsOfCall: MAX_ADJUSTMENTS_OF_CALL, lanes: 1 }),
  );
  provide('wishlists', () =>
    batcher(changeWishlists, { ...bounds, itemsOfCall: MAX_CHANGES_OF_CALL, lanes: 1 }),
  );
  provide('events', () => batcher(changeEvent, { ...bounds, itemsOfCall: 1, lanes: 1 }));
  provide('liveStock', () => {
    const { gate, logger } = { gate: get('gate'), logger: get('logger') };
    const reader = new EventStockReader(get('redis'));
    return new LiveStock({
      clock: systemClock,
      read: (ids) => readBehind(gate, reader.read(ids)),
      forget: (id) => reader.forget(id),
      isInDoubt: () => gate.doubts.length > 0,
      onDefect: (error) => logger.error({ err: error }, 'live stock'),
      mostClients: config.LIVE_CLIENTS,
      writesPerSecond: config.LIVE_WRITES_PER_SECOND,
    });
  });
  provide('counts', () => new OrderCounts());
  provide('heartbeatDatabase', () => connectDatabase(config.DATABASE_URL, 1));
  const observed: Observed = {
    get gate() {
      return get('gate');
    },
    get orders() {
      return get('orders');
    },
    get counts() {
      return get('counts');
    },
    queueBound: config.QUEUE_ORDERS,
    get liveStock() {
      return get('liveStock');
    },
    liveBound: config.LIVE_CLIENTS,
    heartbeat: () => get('heartbeat'),
    monotonicMs: () => systemClock.monotonicMs(),
  };
  provide('heartbeat', () => {
    const { redis, logger } = { redis: get('redis'), logger: get('logger') };
    const url = () => api.server.url;
    const report = () => reportApi(observed);
    const acknowledged = () => api.gate.acknowledged;
    const database = get('heartbeatDatabase');
    return new Heartbeat({
      kind: 'api',
      redis,
      database,
      clock: systemClock,
      logger,
      url,
      acknowledged,
      report,
    });
  });
  provide('metrics', () => new MetricsPage('api', () => sampleApi(observed)));
  provide('server', () => {
    const replyDeadlineMs = config.QUEUE_WAIT_MS + config.DECISION_DEADLINE_MS + REPLY_SLACK_MS;
    const authenticate = createAuthenticator(config.AUTH_SECRET);
    return new HttpServer({
      routes: createRoutes(services(api)),
      authenticate,
      logger: get('logger'),
      replyDeadlineMs,
    });
  });

  const api: Api = {
    logger: get('logger'),
    redis: get('redis'),
    database: get('database'),
    gate: get('gate'),
    orders: get('orders'),
    products: get('products'),
    adjustments: get('adjustments'),
    wishlists: get('wishlists'),
    settlements: get('settlements'),
    events: get('events'),
    expirer: get('expirer'),
    liveStock: get('liveStock'),
    counts: get('counts'),
    heartbeatDatabase: get('heartbeatDatabase'),
    metrics: get('metrics'),
    get heartbeat() {
      return get('heartbeat');
    },
    get server() {
      return get('server');
    },
  };
  return api;
}

function orderBounds(config: ApiConfig): BatcherBounds {
  return {
    itemsOfCall: config.BATCH_ORDERS,
    weightOfCall: config.BATCH_LINES,
    itemsWaiting: config.QUEUE_ORDERS,
    waitMs: config.QUEUE_WAIT_MS,
    lanes: config.BATCH_LANES,
  };
}

type ServiceParts = Omit<Api, 'server' | 'expirer' | 'heartbeat' | 'heartbeatDatabase'>;

function services({
  redis,
  database,
  gate,
  orders,
  settlements,
  events,
  products,
  adjustments,
  wishlists,
  counts,
  metrics,
  liveStock,
}: ServiceParts): Services {
  return {
    reasons: () => gate.reasons,
    metrics,
    liveStock,
    placeOrder: (request, options) => counts.watch(orders.submit(request, options)),
    orderRefusal: () => counts.refusal(orders.refusal),
    settleOrder: (request, options) => settlements.submit(request, options),
    putProduct: (product, options) => products.submit(product, options),
    adjustStock: (request, options) => adjustments.submit(request, options),
    changeWishlist: (change, options) => wishlists.submit(change, options),
    findOrder: (id) => readBehind(gate, findOrder(redis, database, id)),
    readProducts: (skus) => readBehind(gate, readProducts(redis, skus, systemClock.nowMs())),
    nowMs: () => systemClock.nowMs(),
    saleEvents: saleEventsBehind({ gate, redis, changeEvent: (request) => events.submit(request) }),
    readOccurrences: (id, page) => readBehind(gate, readOccurrences(database, id, page)),
    readWishlist: (user) => readBehind(gate, readWishlist(redis, user)),
  };
}
