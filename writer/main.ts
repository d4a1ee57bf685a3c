import { systemClock } from '../engine/runtime/clock.ts';
import { type RunningProcess, runProcess } from '../engine/runtime/lifecycle.ts';
import { runPeriodically } from '../engine/runtime/periodic.ts';
import { startProbeServer } from '../engine/runtime/probe-server.ts';
import { readWriterConfig } from './config.ts';
import { createWriter } from './container.ts';
import { reasonsOf } from './observe.ts';
import { purgeOldKeys, purgeOutbox } from './purge.ts';

const HOUR_MS = 3_600_000;
const PURGE_EVERY_MS = 600_000;

/** The writer process: drains the journal into MariaDB. */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readWriterConfig(process.env);
  const writer = createWriter(config);
  const { logger, drainLoop, recoveryWatch, redis, database, heartbeat, heartbeatDatabase, metrics, probe } =
    writer;
  const { METRICS_HOST: host, METRICS_PORT: port } = config;
  const reasons = () => reasonsOf({ drainLoop, redis });
  const server = await startProbeServer({ host, port, metrics, reasons });
  probe.url = server.url;
  heartbeat.start();
  const running = drainLoop.run();
  recoveryWatch.start();
  logger.info({ url: server.url }, 'draining the journal into MariaDB');
  const purges = [
    runPeriodically({
      name: 'purge idempotency keys',
      everyMs: PURGE_EVERY_MS,
      logger,
      run: () => purgeOldKeys(database, systemClock.nowMs(), config.IDEMPOTENCY_HOURS * HOUR_MS),
    }),
    runPeriodically({
      name: 'purge the outbox',
      everyMs: PURGE_EVERY_MS,
      logger,
      run: () => purgeOutbox({ database, logger, days: config.OUTBOX_DAYS }),
    }),
  ];
  return {
    async stop() {
      await Promise.all(purges.map((stopPurging) => stopPurging()));
      await recoveryWatch.stop();
      drainLoop.stop();
      const applied = await running;
      await heartbeat.stop();
      await server.close();
      redis.disconnect();
      await heartbeatDatabase.close();
      await database.close();
      logger.info(applied, 'stopped: the batch in hand was finished');
    },
  };
});
