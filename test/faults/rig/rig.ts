import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFreePort } from '../../../cli/stack/ports.ts';
import { connectDatabase, type Database } from '../../../engine/database/database.ts';
import { migrate } from '../../../engine/database/migrate.ts';
import { createRedisClient, type RedisClient, whenReady } from '../../../engine/redis/client.ts';
import { call } from '../../fixtures/http.ts';
import { AUTH_SECRET } from '../../fixtures/processes.ts';
import { FakeClock, findFakeTimeLibrary } from './fake-clock.ts';
import { RiggedProcess } from './rigged-process.ts';
import { MARIADB, REDIS, RiggedServer } from './rigged-server.ts';
import { canMount } from './small-disk.ts';
import { TcpProxy } from './tcp-proxy.ts';

export const PROCESS_NAMES = ['api-1', 'api-2', 'writer-1', 'writer-2'] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];
export const SERVER_NAMES = ['redis', 'mariadb'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];
export type Victim = ProcessName | ServerName;

const READY_MS = 30_000;
const LOOK_EVERY_MS = 50;
/** Those whose clocks can be moved; the others keep the true time. */
const WITH_FAKE_CLOCK: readonly ProcessName[] = ['api-2', 'writer-2'];

/**
 * Everything that takes part in the sale, on this machine, each thing breakable by itself: two apis, two writers, Redis and
 * MariaDB of their own, a proxy between each process and each server. The observer's own connections go past the
 * proxies.
 */
export class Rig {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly servers: Readonly<Record<ServerName, RiggedServer>>;
  readonly #directory: string;
  readonly #links = new Map<string, TcpProxy>();
  readonly #processes = new Map<ProcessName, RiggedProcess>();
  readonly #clocks = new Map<ProcessName, FakeClock>();
  readonly #urls: string[] = [];
  /** Ends that nobody asked for. */
  readonly deaths: string[] = [];

  private constructor(directory: string, servers: Record<ServerName, RiggedServer>) {
    this.#directory = directory;
    this.servers = servers;
    this.redis = createRedisClient(servers.redis.url, () => undefined);
    this.database = connectDatabase(servers.mariadb.url, 4);
  }

  /** Starts it all, empty. */
  static async start(): Promise<Rig> {
    const directory = mkdtempSync(join(tmpdir(), 'bootakhae-torture-'));
    const disks = canMount();
    const [redis, mariadb] = await Promise.all([
      RiggedServer.start(REDIS, join(directory, 'redis'), disks),
      RiggedServer.start(MARIADB, join(directory, 'mariadb'), disks),
    ]);
    const rig = new Rig(directory, { redis, mariadb });
    await whenReady(rig.redis, READY_MS);
    await migrate(rig.database);
    for (const name of PROCESS_NAMES) await rig.#add(name);
    await rig.whenReady();
    return rig;
  }

  /** The apis, by their own addresses, which stay the same. */
  get urls(): readonly string[] {
    return this.#urls;
  }

  /** What a command needs to look at the servers, past the proxies. */
  get environment(): NodeJS.ProcessEnv {
    return { REDIS_URL: this.servers.redis.url, DATABASE_URL: this.servers.mariadb.url };
  }

  process(name: ProcessName): RiggedProcess {
    return this.#processes.get(name)!;
  }

  /** The network between a process and a server. */
  link(process: ProcessName, server: ServerName): TcpProxy {
    return this.#links.get(`${process} ${server}`)!;
  }

  /** The processes whose clocks can be moved; none where libfaketime is not installed. */
  get clocks(): ReadonlyMap<ProcessName, FakeClock> {
    return this.#clocks;
  }

  part(victim: Victim): RiggedProcess | RiggedServer {
    return isServer(victim) ? this.servers[victim] : this.process(victim);
  }

  /** Resolves when all apis accept orders. Rejects with their reasons when they do not. */
  async whenReady(withinMs = READY_MS): Promise<void> {
    const endMs = performance.now() + withinMs;
    for (const url of this.#urls) {
      for (let why = await reasonsOf(url); why !== null; why = await reasonsOf(url)) {
        if (performance.now() > endMs) throw new Error(`${url} accepts no orders: ${why}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    }
  }

  /** Why some api accepts no orders now; null = all do. */
  async reasons(): Promise<string | null> {
    const reasons = await Promise.all(this.#urls.map(reasonsOf));
    return reasons.find((each) => each !== null) ?? null;
  }

  /** Ends everything. Resolves to the exit codes of the processes that did not end with 0, in words. */
  async stop(): Promise<string[]> {
    const stopped = await Promise.all(
      Array.from(this.#processes, async ([name, one]) => ({
        name,
        code: await one.stop(),
        log: one.lastLines,
      })),
    );
    await Promise.all(Array.from(this.#links.values(), (link) => link.stop()));
    this.redis.disconnect();
    await this.database.close().catch(() => undefined);
    await Promise.all(Object.values(this.servers).map((server) => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
    return stopped.flatMap(({ name, code, log }) =>
      code === 0 ? [] : [`${name} stopped with ${code}:${log}`],
    );
  }

  async #add(name: ProcessName): Promise<void> {
    for (const server of SERVER_NAMES)
      this.#links.set(`${name} ${server}`, await TcpProxy.start(this.servers[server].port));
    const program = name.startsWith('api') ? 'api' : 'writer';
    const port = program === 'api' ? await claimFreePort() : 0;
    if (program === 'api') this.#urls.push(`http://127.0.0.1:${port}`);
    const logsDirectory = join(this.#directory, name);
    mkdirSync(logsDirectory);
    const process = new RiggedProcess({
      ...{ name, program, logsDirectory },
      environment: { ...this.#environmentOf(name), PORT: String(port) },
      onDeath: (description) => this.deaths.push(description),
    });
    this.#processes.set(name, process);
    await process.start();
  }

  #environmentOf(name: ProcessName): NodeJS.ProcessEnv {
    const library = findFakeTimeLibrary();
    if (library && WITH_FAKE_CLOCK.includes(name))
      this.#clocks.set(name, new FakeClock(join(this.#directory, `${name}.clock`), library));
    return {
      PATH: process.env.PATH,
      AUTH_SECRET,
      REDIS_URL: this.link(name, 'redis').inFrontOf(this.servers.redis.url),
      DATABASE_URL: this.link(name, 'mariadb').inFrontOf(this.servers.mariadb.url),
      HOLD_SECONDS: '1',
      ...this.#clocks.get(name)?.environment,
    };
  }
}

export function isServer(victim: Victim): victim is ServerName {
  return (SERVER_NAMES as readonly string[]).includes(victim);
}

/** Null: it accepts orders. */
async function reasonsOf(url: string): Promise<string | null> {
  try {
    const { status, body } = await call(`${url}/readyz`);
    return status === 200 ? null : JSON.stringify(body);
  } catch (error) {
    return (error as Error).message;
  }
}
