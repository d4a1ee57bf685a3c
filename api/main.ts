import { type RunningProcess, runProcess } from '../engine/runtime/lifecycle.ts';
import { readApiConfig } from './config.ts';
import { createApi } from './container.ts';

/** The api process: takes requests, decides orders in Redis, answers when they are on disk. */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readApiConfig(process.env);
  const { logger, gate, server, orders, products, wishlists, redis, database } = createApi(config);
  gate.start();
  const port = await server.listen(config.HOST, config.PORT);
  logger.info({ url: `http://${config.HOST}:${port}` }, 'listening');
  return {
    async stop() {
      logger.info('draining: no new requests, answering those taken');
      await server.drain();
      await Promise.all([orders.drain(), products.drain(), wishlists.drain()]);
      gate.stop();
      redis.disconnect();
      await database.close();
      logger.info('stopped: every request taken was answered');
    },
  };
});
