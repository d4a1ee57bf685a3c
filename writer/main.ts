import { systemClock } from '../engine/runtime/clock.ts';
import { type RunningProcess, runProcess } from '../engine/runtime/lifecycle.ts';
import { runPeriodically } from '../engine/runtime/periodic.ts';
import { readWriterConfig } from './config.ts';
import { createWriter } from './container.ts';
import { purgeOldKeys } from './purge.ts';

const HOUR_MS = 3_600_000;
const PURGE_EVERY_MS = 600_000;

/** The writer process: drains the journal into MariaDB. */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readWriterConfig(process.env);
  const { logger, drainLoop, recoveryWatch, redis, database } = createWriter(config);
  const running = drainLoop.run();
  recoveryWatch.start();
  logger.info('draining the journal into MariaDB');
  const stopPurging = runPeriodically({
    name: 'purge idempotency keys',
    everyMs: PURGE_EVERY_MS,
    logger,
    run: () => purgeOldKeys(database, systemClock.nowMs(), config.IDEMPOTENCY_HOURS * HOUR_MS),
  });
  return {
    async stop() {
      await stopPurging();
      await recoveryWatch.stop();
      drainLoop.stop();
      const applied = await running;
      redis.disconnect();
      await database.close();
      logger.info(applied, 'stopped: the batch in hand was finished');
    },
  };
});
