import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { findBinary } from './binaries.ts';
import { keptSecret } from './kept-secret.ts';
import { type OwnedProcess, spawnOwned } from './owned-process.ts';
import { claimFreePort, releasePort } from './ports.ts';
import { accepts, rabbitmqAnswers } from './probes.ts';
import {
  asServer,
  environmentWithout,
  type RunningServer,
  type ServerOptions,
  untilReady,
} from './running-server.ts';
import { Supervisor } from './supervisor.ts';
import { STAGE } from './watchdog.ts';

const USER = 'bootakhae';
const READY_MS = 120_000;
const EPMD_READY_MS = 10_000;

interface RabbitPorts {
  amqp: number;
  /** Erlang distribution: RabbitMQ insists on it even when alone. */
  distribution: number;
  /** Erlang's name server. */
  epmd: number;
}

/**
 * Starts a private RabbitMQ, everything of it on loopback, together with an `epmd` (Erlang's name server) of its
 * own: left alone it would start one that outlives it.
 *
 * @returns the server once it answers (about ten seconds), `url` is `amqp://user:password@127.0.0.1:port`
 * @throws StackError when it does not come up
 */
export async function startRabbitMQ(options: ServerOptions): Promise<RunningServer> {
  const home = resolve(options.dataDirectory);
  const logFile = options.logFile ?? join(home, 'rabbitmq.log');
  prepareHome(home);
  const amqp = options.port ?? (await claimFreePort());
  const ports = { amqp, distribution: await claimFreePort(), epmd: await claimFreePort() };
  const epmd = await startEpmd(ports.epmd, join(dirname(logFile), 'epmd.log'));
  const endHelpers = async () => {
    await epmd.stop();
    releasePort(ports.distribution);
    releasePort(ports.epmd);
  };
  try {
    const owned = await spawnBroker(home, ports, { ...options, logFile });
    await untilReady(owned, {
      isReady: () => rabbitmqAnswers({ host: '127.0.0.1', port: amqp }),
      timeoutMs: READY_MS,
      signal: options.signal,
    });
    const url = rabbitmqUrl(home, amqp);
    const whole = { ...owned, exited: endsWith(owned, endHelpers), stop: () => stopWhole(owned, endHelpers) };
    return asServer(whole, { url, port: amqp, keepPort: options.port !== undefined });
  } catch (error) {
    await endHelpers();
    throw error;
  }
}

/** The address, password included, of a private RabbitMQ with that folder and port; it need not run yet. */
export function rabbitmqUrl(dataDirectory: string, port: number): string {
  return `amqp://${USER}:${passwordOf(dataDirectory)}@127.0.0.1:${port}`;
}

function passwordOf(home: string): string {
  return keptSecret(join(home, 'password'), () => randomBytes(24).toString('hex'));
}

async function endsWith(owned: OwnedProcess, endHelpers: () => Promise<void>) {
  const exit = await owned.exited;
  await endHelpers();
  return exit;
}

async function stopWhole(owned: OwnedProcess, endHelpers: () => Promise<void>): Promise<void> {
  await owned.stop();
  await endHelpers();
}

/** Lays out the folder: cookie, configuration, no plugins. */
function prepareHome(home: string): void {
  mkdirSync(join(home, 'home'), { recursive: true, mode: 0o700 });
  keptSecret(join(home, 'home', '.erlang.cookie'), () => randomBytes(20).toString('hex'));
  writeFileSync(join(home, 'enabled_plugins'), '[].\n');
  writeFileSync(join(home, 'rabbitmq.conf'), configuration(passwordOf(home)), { mode: 0o600 });
}

/** The user counts only when the broker's database is created; the password is kept, so it stays right. */
function configuration(password: string): string {
  return [
    `default_user = ${USER}`,
    `default_pass = ${password}`,
    'log.file = false',
    'log.console = true',
    'log.console.level = info',
    '',
  ].join('\n');
}

async function startEpmd(port: number, logFile: string): Promise<Supervisor<OwnedProcess>> {
  const start = async () => {
    const owned = await spawnOwned({
      name: 'epmd',
      command: findBinary('epmd'),
      args: ['-port', String(port), '-address', '127.0.0.1'],
      env: environmentWithout('ERL', 'RABBITMQ'),
      logFile,
      stage: STAGE.helper,
      patienceMs: 2_000,
    });
    await untilReady(owned, {
      isReady: () => accepts({ host: '127.0.0.1', port }),
      timeoutMs: EPMD_READY_MS,
    });
    return owned;
  };
  const supervisor = new Supervisor({ name: 'epmd', start });
  await supervisor.start();
  supervisor.keep();
  return supervisor;
}

function spawnBroker(home: string, ports: RabbitPorts, options: ServerOptions): Promise<OwnedProcess> {
  return spawnOwned({
    name: 'rabbitmq',
    command: findBinary('rabbitmq-server'),
    args: options.args ?? [],
    env: { ...environmentWithout('ERL', 'RABBITMQ'), ...brokerEnvironment(home, ports) },
    cwd: home,
    logFile: options.logFile ?? join(home, 'rabbitmq.log'),
    patienceMs: 30_000,
  });
}

function brokerEnvironment(home: string, ports: RabbitPorts): NodeJS.ProcessEnv {
  // The broker's database is filed under the node's name: it must be the same at every start.
  const node = keptSecret(
    join(home, 'node-name'),
    () => `bootakhae-${randomBytes(4).toString('hex')}@localhost`,
  );
  return {
    HOME: join(home, 'home'),
    RABBITMQ_NODENAME: node,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    // With it the start script becomes the Erlang machine instead of waiting for it: one process to signal.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}
