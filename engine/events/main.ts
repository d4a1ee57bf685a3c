import { type RunningProcess, runProcess } from '../runtime/lifecycle.ts';
import { readSchedulerConfig } from './config.ts';
import { createScheduler } from './container.ts';

/**
 * The scheduler process. Sale events are opened and closed by hand so far: it declares RabbitMQ's topology, keeps the
 * connection and waits.
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
