import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnedProcess, spawnOwned } from '../../cli/stack/owned-process.ts';
import { STAGE } from '../../cli/stack/watchdog.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { isEngine, type StrategyName } from '../strategies.ts';
import type { Ground } from './ground.ts';
import { type LogLine, waitForLine } from './log-lines.ts';

/** Connections to MariaDB of a rival; more of them only queue at the same rows, fewer leave it idle. */
const RIVAL_CONNECTIONS = '16';

/** What a process of a run is started with, beside this process's own environment. */
export interface ContestantPlan {
  readonly ground: Ground;
  readonly redisUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A folder for CPU profiles of the process; null = none are taken. */
  readonly profiles: string | null;
}

/** A process that takes orders. */
export interface Contestant {
  readonly url: string;
  readonly process: OwnedProcess;
}

/** Starts the process of a strategy; resolves once it takes orders. */
export async function startContestant(strategy: StrategyName, plan: ContestantPlan): Promise<Contestant> {
  const engine = isEngine(strategy);
  const words = engine ? ['api/main.js'] : ['bench/rivals/main.js', strategy];
  const connections: Record<string, string> = engine ? {} : { DATABASE_CONNECTIONS: RIVAL_CONNECTIONS };
  const owned = await startNode(engine ? 'api' : strategy, words, {
    ...plan,
    environment: { PORT: '0', ...connections, ...plan.environment },
  });
  const { url } = await waitForLine(owned, 'listening');
  if (engine) await waitForLine(owned, 'gate open');
  return { url: url!, process: owned };
}

/** Starts the writer; resolves with its process and the line that says that it has begun. */
export async function startWriter(plan: ContestantPlan): Promise<{ process: OwnedProcess; begun: LogLine }> {
  const owned = await startNode('writer', ['writer/main.js'], plan);
  return { process: owned, begun: await waitForLine(owned, 'draining the journal into MariaDB') };
}

function startNode(name: string, [entry, ...args]: string[], plan: ContestantPlan): Promise<OwnedProcess> {
  const { ground, redisUrl, environment, profiles } = plan;
  const profiling = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  return spawnOwned({
    name,
    command: process.execPath,
    args: [...profiling, join(packageRoot, 'dist', entry!), ...args],
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      DATABASE_URL: ground.mariadb.url,
      AUTH_SECRET: ground.authSecret,
      HOST: '127.0.0.1',
      ...environment,
    },
    logFile: join(mkdtempSync(join(ground.directory, 'logs-')), `${name}.log`),
    stage: STAGE.program,
  });
}
