import { mkdirSync } from 'node:fs';
import { startMariaDB } from '../../../cli/stack/mariadb.ts';
import { claimFreePort, releasePort } from '../../../cli/stack/ports.ts';
import { startRedis } from '../../../cli/stack/redis.ts';
import type { RunningServer, ServerOptions } from '../../../cli/stack/running-server.ts';
import { SmallDisk } from './small-disk.ts';

interface ServerPlan {
  readonly start: (options: ServerOptions) => Promise<RunningServer>;
  readonly args: string[];
  /** Of its disk, where it has one of its own. */
  readonly megabytes: number;
}

export const REDIS: ServerPlan = {
  start: startRedis,
  // It is rewritten when a round begins, never in the middle: what a power cut takes is read from the last file.
  args: ['--maxmemory', '256mb', '--auto-aof-rewrite-percentage', '0'],
  megabytes: 1_024,
};

export const MARIADB: ServerPlan = {
  start: startMariaDB,
  // Small, and quick to come back: it is killed again and again.
  args: ['--innodb-log-file-size=32M', '--innodb-buffer-pool-size=64M'],
  megabytes: 1_024,
};

/** Redis or MariaDB, on a port that it keeps; on a disk of its own where mounting is permitted. */
export class RiggedServer {
  readonly port: number;
  readonly directory: string;
  readonly disk: SmallDisk | null;
  readonly #plan: ServerPlan;
  #running!: RunningServer;
  #isRunning = false;

  private constructor(
    plan: ServerPlan,
    directory: string,
    { port, disk }: { port: number; disk: SmallDisk | null },
  ) {
    this.#plan = plan;
    this.directory = directory;
    this.port = port;
    this.disk = disk;
  }

  static async start(plan: ServerPlan, directory: string, onDisk: boolean): Promise<RiggedServer> {
    mkdirSync(directory);
    const disk = onDisk ? SmallDisk.mount(directory, plan.megabytes) : null;
    const server = new RiggedServer(plan, directory, { port: await claimFreePort(), disk });
    await server.start();
    return server;
  }

  get url(): string {
    return this.#running.url;
  }

  /** Starts it again on the same port and data; resolves when it answers. */
  async start(): Promise<void> {
    const { start, args } = this.#plan;
    const running = await start({ dataDirectory: this.directory, port: this.port, args });
    this.#running = running;
    this.#isRunning = true;
    void running.exited.then(() => {
      this.#isRunning = false;
    });
  }

  /** False when it was killed, or has ended by itself. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#running.kill('SIGKILL');
    await this.#running.exited;
  }

  pause(): void {
    this.#running.kill('SIGSTOP');
  }

  resume(): void {
    this.#running.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#running.stop();
    releasePort(this.port);
    this.disk?.unmount();
  }
}
