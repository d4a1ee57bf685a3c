import { type RunningProcess, runProcess } from '../runtime/lifecycle.ts';
import { readSchedulerConfig } from './config.ts';
import { createScheduler } from './container.ts';

/**
 * The scheduler process. There are no sale events yet: it declares RabbitMQ's topology, keeps the connection and
 * waits.
 */
await runProcess(async (): Promise<RunningProcess> => {
  const { logger, broker } = createScheduler(readSchedulerConfig(process.env));
  const connected = await broker;
  logger.info('started');
  return {
    async stop() {
      await connected.close();
      logger.info('stopped');
    },
  };
});
