import { createAuthenticator } from '../../api/authenticate.ts';
import { placeOrderRoute } from '../../api/handlers/place-order.ts';
import { HttpServer } from '../../api/http/server.ts';
import { ConfigError, readConfig } from '../../engine/config/environment.ts';
import { runProcess } from '../../engine/runtime/lifecycle.ts';
import { createLogger } from '../../engine/runtime/logger.ts';
import type { StrategyName } from '../strategies.ts';
import { createCeiling } from './ceiling.ts';
import { createLockPerItem } from './lock-per-item.ts';
import type { Rival, RivalConfig } from './rival.ts';
import { createScriptPerOrder } from './script-per-order.ts';
import { createSelectForUpdate } from './select-for-update.ts';

/**
 * A rival as a process: the api's HTTP layer, authentication, body check and reply, with another way to place an
 * order behind it.
 *
 *     node dist/bench/rivals/main.js STRATEGY
 */
const VARIABLES = [
  'REDIS_URL',
  'DATABASE_URL',
  'DATABASE_CONNECTIONS',
  'AUTH_SECRET',
  'HOST',
  'PORT',
  'LOG_LEVEL',
] as const;

/** A queue of hundreds behind one row or one lock is what is measured here, so it is waited for. */
const REPLY_DEADLINE_MS = 60_000;

const RIVALS: Partial<Record<StrategyName, (config: RivalConfig) => Promise<Rival>>> = {
  'select-for-update': createSelectForUpdate,
  'lock-per-item': createLockPerItem,
  'script-per-order': (config) => createScriptPerOrder(config, false),
  'script-per-order-pipelined': (config) => createScriptPerOrder(config, true),
  ceiling: async () => createCeiling(),
};

await runProcess(async () => {
  const name = process.argv[2] as StrategyName;
  const create = RIVALS[name];
  if (!create) throw new ConfigError(`"${name}" is none of ${Object.keys(RIVALS).join(', ')}`);
  const config = readConfig(process.env, VARIABLES);
  const logger = createLogger(name, config.LOG_LEVEL);
  const rival = await create(config);
  const server = new HttpServer({
    // A rival keeps no idempotency records, so there is never an order to find again.
    routes: [
      placeOrderRoute({
        placeOrder: rival.placeOrder,
        findOrder: async () => null,
        orderRefusal: () => null,
      }),
    ],
    authenticate: createAuthenticator(config.AUTH_SECRET),
    logger,
    replyDeadlineMs: REPLY_DEADLINE_MS,
  });
  const port = await server.listen(config.HOST, config.PORT);
  logger.info({ url: `http://${config.HOST}:${port}` }, 'listening');
  return {
    async stop() {
      await server.drain();
      await rival.stop();
    },
  };
});
