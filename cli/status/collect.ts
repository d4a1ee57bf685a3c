import { probeBroker } from '../../engine/broker/probe.ts';
import { connectDatabase, type Database } from '../../engine/database/database.ts';
import { countOverdueEvents } from '../../engine/database/statements/count-overdue-events.ts';
import { countWaitingDeadLetters } from '../../engine/database/statements/count-waiting-dead-letters.ts';
import { type LastRecovery, readLastRecovery } from '../../engine/database/statements/read-last-recovery.ts';
import { readProcesses } from '../../engine/database/statements/read-processes.ts';
import { readServerVersion as readDatabaseVersion } from '../../engine/database/statements/read-server-version.ts';
import { OVERDUE_MS } from '../../engine/events/agenda.ts';
import { type ReconciliationNote, readReconciliation } from '../../engine/processes/reconciliation-note.ts';
import type { ProcessCard, ProcessReport } from '../../engine/processes/report.ts';
import { createRedisClient, type RedisClient, whenReady } from '../../engine/redis/client.ts';
import { readMirror } from '../../engine/redis/process-mirror.ts';
import { readServerVersion as readRedisVersion } from '../../engine/redis/server-check.ts';
import { within } from '../../engine/runtime/deadline.ts';
import { judge } from './judge.ts';
import type { ProcessStatus, ServerName, ServerStatus, Status } from './status.ts';

export interface StatusUrls {
  readonly redis: string;
  readonly database: string;
  /** Absent: there is none to look at. */
  readonly amqp?: string | undefined;
}

const WITHIN_MS = 3_000;
const ALIVE_WITHIN_MS = 5_000;
/** Who was not heard of for a day is no news. */
const HOURS_SHOWN = 24;

type Known = Omit<ProcessStatus, 'alive'>;

/** Asks the servers what they know, each for three seconds at most; whichever is away is said to be. Never rejects. */
export async function collectStatus(urls: StatusUrls): Promise<Status> {
  const [redis, database, broker] = await Promise.all([
    askRedis(urls.redis),
    askDatabase(urls.database),
    urls.amqp === undefined ? null : askBroker(urls.amqp),
  ]);
  const servers = [redis.server, database.server, ...(broker ? [broker.server] : [])];
  const facts = {
    servers,
    processes: mergeProcesses(redis.facts?.processes ?? [], database.facts?.processes ?? []),
    deadLettersWaiting: database.facts?.deadLetters ?? null,
    deadMessagesWaiting: broker?.facts ?? null,
    overdueEvents: database.facts?.overdueEvents ?? null,
    lastRecovery: database.facts?.recovery ?? null,
    lastReconciliation: redis.facts?.reconciliation ?? null,
  };
  const problems = judge(facts);
  return { healthy: problems.length === 0, problems, ...facts };
}

/** What was found out about a server, and what it knows; null when it did not answer. */
interface Asked<Facts> {
  readonly server: ServerStatus;
  readonly facts: Facts | null;
}

async function ask<Facts>(name: ServerName, work: () => Promise<[string, Facts]>): Promise<Asked<Facts>> {
  const startedAt = performance.now();
  try {
    const [version, facts] = await within(WITHIN_MS, work());
    const ms = Math.round(performance.now() - startedAt);
    return { server: { name, reachable: true, ms, version, error: null }, facts };
  } catch (error) {
    const { message } = error as Error;
    return { server: { name, reachable: false, ms: null, version: null, error: message }, facts: null };
  }
}

/** All it knows is how many dead messages wait. */
function askBroker(url: string): Promise<Asked<number | null>> {
  return ask('RabbitMQ', async () => {
    const { version, deadMessages } = await probeBroker(url, WITHIN_MS);
    return [version, deadMessages];
  });
}

interface RedisFacts {
  readonly processes: readonly Known[];
  readonly reconciliation: ReconciliationNote | null;
}

async function askRedis(url: string): Promise<Asked<RedisFacts>> {
  const redis = createRedisClient(url, () => undefined);
  const asked = await ask('Redis', async () => {
    await whenReady(redis, WITHIN_MS);
    return [await readRedisVersion(redis), await readRedisFacts(redis)];
  });
  redis.disconnect();
  return asked;
}

async function readRedisFacts(redis: RedisClient): Promise<RedisFacts> {
  const mirror = await readMirror(redis);
  const processes = Array.from(mirror.values(), ({ content, seenAgoMs }) => ({
    ...(content as ProcessCard),
    seenAgoMs,
  }));
  return { processes, reconciliation: await readReconciliation(redis) };
}

interface DatabaseFacts {
  readonly processes: readonly Known[];
  readonly deadLetters: number;
  readonly overdueEvents: number;
  readonly recovery: LastRecovery | null;
}

async function askDatabase(url: string): Promise<Asked<DatabaseFacts>> {
  const database = connectDatabase(url, 1);
  const asked = await ask('MariaDB', async () => [
    await readDatabaseVersion(database),
    await readDatabaseFacts(database),
  ]);
  void database.close().catch(() => undefined); // one that does not answer is not waited for
  return asked;
}

async function readDatabaseFacts(database: Database): Promise<DatabaseFacts> {
  const rows = await readProcesses(database, HOURS_SHOWN);
  const processes = rows.map(({ report, startedAt, ...row }) => ({
    ...row,
    startedAt: startedAt.toISOString(),
    report: JSON.parse(report) as ProcessReport,
  }));
  const deadLetters = await countWaitingDeadLetters(database);
  const overdueEvents = await countOverdueEvents(database, OVERDUE_MS);
  return { processes, deadLetters, overdueEvents, recovery: await readLastRecovery(database) };
}

/** Both servers tell of the same processes; of each what was heard last counts. */
function mergeProcesses(...tales: readonly (readonly Known[])[]): ProcessStatus[] {
  const known = new Map<string, Known>();
  for (const one of tales.flat()) {
    const other = known.get(one.id);
    if (!other || one.seenAgoMs < other.seenAgoMs) known.set(one.id, one);
  }
  return [...known.values()]
    .map((one) => ({ ...one, alive: !one.isStopped && one.seenAgoMs <= ALIVE_WITHIN_MS }))
    .sort((a, b) => Number(b.alive) - Number(a.alive) || a.kind.localeCompare(b.kind) || a.pid - b.pid);
}
