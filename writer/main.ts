import { type RunningProcess, runProcess } from '../engine/runtime/lifecycle.ts';
import { readWriterConfig } from './config.ts';
import { createWriter } from './container.ts';

/** The writer process: drains the journal into MariaDB. */
await runProcess(async (): Promise<RunningProcess> => {
  const { logger, drainLoop, redis, database } = createWriter(readWriterConfig(process.env));
  const running = drainLoop.run();
  logger.info('draining the journal into MariaDB');
  return {
    async stop() {
      drainLoop.stop();
      const applied = await running;
      redis.disconnect();
      await database.close();
      logger.info(applied, 'stopped: the batch in hand was finished');
    },
  };
});
