import { type RunningProcess, runProcess } from '../runtime/lifecycle.ts';
import { startProbeServer } from '../runtime/probe-server.ts';
import { readSchedulerConfig } from './config.ts';
import { createScheduler } from './container.ts';

/**
 * The scheduler process. Sale events are opened and closed by hand so far: it declares RabbitMQ's topology, keeps the
 * connection and waits.
 */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readSchedulerConfig(process.env);
  const { logger, broker, redis, database, heartbeat, metrics, probe } = await createScheduler(config);
  const reasons = () => (broker.isConnected ? [] : ['RabbitMQ is away']);
  const { METRICS_HOST: host, METRICS_PORT: port } = config;
  const server = await startProbeServer({ host, port, metrics, reasons });
  probe.url = server.url;
  heartbeat.start();
  logger.info({ url: server.url }, 'started');
  return {
    async stop() {
      await heartbeat.stop();
      await server.close();
      await broker.close();
      redis.disconnect();
      await database.close();
      logger.info('stopped');
    },
  };
});
