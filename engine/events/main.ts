import type { Database } from '../database/database.ts';
import type { OutboxPublisher } from '../outbox/publisher.ts';
import { within } from '../runtime/deadline.ts';
import { type RunningProcess, runProcess } from '../runtime/lifecycle.ts';
import { startProbeServer } from '../runtime/probe-server.ts';
import { readSchedulerConfig } from './config.ts';
import { createScheduler } from './container.ts';
import { reasonsOf } from './observe.ts';

const CLOSE_WITHIN_MS = 1_000;
const STOP_PUBLISHING_WITHIN_MS = 4_000;

/** The scheduler process: announces when sale events open and close, carries out what messages ask for, and tells the world. */
await runProcess(async (): Promise<RunningProcess> => {
  const config = readSchedulerConfig(process.env);
  const scheduler = createScheduler(config);
  const { logger, broker, redis, announcer, publisher, gate, events, settlements, heartbeat, metrics } =
    scheduler;
  const { METRICS_HOST: host, METRICS_PORT: port } = config;
  const reasons = () => reasonsOf(scheduler.observed);
  const server = await startProbeServer({ host, port, metrics, reasons });
  scheduler.probe.url = server.url;
  gate?.start();
  heartbeat.start();
  announcer?.start();
  publisher?.start();
  for (const subscription of scheduler.subscriptions) broker.consume(subscription);
  logger.info({ url: server.url, roles: [...config.SCHEDULER_ROLES] }, 'started');
  return {
    async stop() {
      logger.info('stopping: nothing is announced any more, messages in hand are finished');
      await Promise.all([announcer?.stop(), stopOrLeave(publisher)]);
      await broker.close();
      await Promise.all([events?.drain(), settlements?.drain()]);
      gate?.stop();
      await heartbeat.stop();
      await server.close();
      redis.disconnect();
      const { database, announcerDatabase, publisherDatabase, heartbeatDatabase } = scheduler;
      const databases = [database, announcerDatabase, publisherDatabase, heartbeatDatabase];
      await Promise.all(databases.map(closeOrLeave));
      logger.info('stopped');
    },
  };
});

/** What a MariaDB that does not answer was asked is not waited for: what was told without being deleted is told again. */
async function stopOrLeave(publisher: OutboxPublisher | null): Promise<void> {
  if (publisher) await within(STOP_PUBLISHING_WITHIN_MS, publisher.stop()).catch(() => undefined);
}

/** A MariaDB that does not answer is not waited for: nothing of ours is under way there. */
async function closeOrLeave(database: Database): Promise<void> {
  await within(CLOSE_WITHIN_MS, database.close()).catch(() => undefined);
}
