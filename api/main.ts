import { rotateIdempotency } from '../engine/redis/commands/rotate-idempotency.ts';
import { sweepCounts } from '../engine/redis/sweep-counts.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { type RunningProcess, runProcess } from '../engine/runtime/lifecycle.ts';
import { runPeriodically } from '../engine/runtime/periodic.ts';
import { readApiConfig } from './config.ts';
import { createApi } from './container.ts';

const HOUR_MS = 3_600_000;
const ROTATE_EVERY_MS = 60_000;
const EXPIRE_EVERY_MS = 500;
const SWEEP_EVERY_MS = HOUR_MS;

/** The api process: takes requests, decides orders in Redis, answers when they are on disk. */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readApiConfig(process.env);
  const api = createApi(config);
  const { logger, gate, server, expirer, redis, database, heartbeat, heartbeatDatabase, ...batchers } = api;
  gate.start();
  const stopRotating = runPeriodically({
    name: 'rotate idempotency records',
    everyMs: ROTATE_EVERY_MS,
    logger,
    async run() {
      if (gate.reasons.length > 0) return; // it can wait: records are only kept longer
      await rotateIdempotency(redis, systemClock.nowMs(), config.IDEMPOTENCY_HOURS * HOUR_MS);
    },
  });
  const stopExpiring = runPeriodically({
    name: 'expire holds',
    everyMs: EXPIRE_EVERY_MS,
    logger,
    async run() {
      if (gate.reasons.length === 0) await expirer.run();
    },
  });
  const stopSweeping = runPeriodically({
    name: 'sweep counts of closed events',
    everyMs: SWEEP_EVERY_MS,
    logger,
    async run() {
      if (gate.reasons.length === 0) await sweepCounts(redis);
    },
  });
  const port = await server.listen(config.HOST, config.PORT);
  logger.info({ url: `http://${config.HOST}:${port}` }, 'listening');
  heartbeat.start();
  return {
    async stop() {
      logger.info('draining: no new requests, answering those taken');
      await server.drain();
      const { orders, settlements, products, adjustments, wishlists, events } = batchers;
      await Promise.all(
        [orders, settlements, products, adjustments, wishlists, events].map((batcher) => batcher.drain()),
      );
      await stopExpiring();
      await stopRotating();
      await stopSweeping();
      gate.stop();
      await heartbeat.stop();
      await heartbeatDatabase.close();
      redis.disconnect();
      await database.close();
      logger.info('stopped: every request taken was answered');
    },
  };
});
