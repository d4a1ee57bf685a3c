import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { forgetData, prepareDataDirectory, rotateLogs } from './data-directory.ts';
import { loadDemoCatalogue } from './demo.ts';
import { type DemoEvent, scheduleDemoEvent } from './demo-event.ts';
import { keptSecret } from './kept-secret.ts';
import { takeLauncherLock } from './launcher-lock.ts';
import { describeExit, type OwnedProcess } from './owned-process.ts';
import { claimFreePort, claimPort, releasePort } from './ports.ts';
import { httpGet } from './probes.ts';
import {
  mintToken,
  type ProgramName,
  type ProgramSurroundings,
  runCommand,
  startProgram,
} from './programs.ts';
import { requireOutsideServer, SERVER_KINDS, type ServerName } from './server-kinds.ts';
import { messageOf, StackError, tailOf } from './stack-error.ts';
import { type PartName, removeStackFile, type StackDescription, writeStackFile } from './stack-file.ts';
import { Supervisor } from './supervisor.ts';
import { dismissWatchdog } from './watchdog.ts';

/** What kind of local stack. */
export interface StackOptions {
  /** Where everything of it is kept; created when missing. */
  dataDirectory: string;
  /** The api's port: 0 is any, absent is 3000 or, where that is taken, any. */
  port?: number | undefined;
  /** Forget the data of earlier runs. */
  fresh?: boolean | undefined;
  /** Load the demo catalogue; yes when absent. */
  demo?: boolean | undefined;
  /** What the programs find in their environment, REDIS_URL and so on; this process's own when absent. */
  environment?: NodeJS.ProcessEnv | undefined;
  /** The compiled programs (`api/main.js` and so on); `dist` of this package when absent. */
  programsDirectory?: string | undefined;
  /** Told, a line at a time, what happens. */
  say?: ((line: string) => void) | undefined;
  /** Gives up starting when aborted. A started stack is ended by its `stop`. */
  signal?: AbortSignal | undefined;
}

/** A stack that accepts orders. */
export interface RunningStack {
  readonly dataDirectory: string;
  readonly logsDirectory: string;
  readonly api: string;
  readonly redis: string;
  readonly database: string;
  readonly amqp: string;
  readonly operatorToken: string;
  readonly customerToken: string;
  /** Null without the demo. */
  readonly demoEvent: DemoEvent | null;
  /** The process ids of now; a part that is just being started again, or is an outside server, is left out. */
  pids(): Partial<Record<PartName, number>>;
  /** Ends everything in order; what is kept stays in the data directory. May be called again. */
  stop(): Promise<void>;
}

const USUAL_API_PORT = 3000;
const API_READY_MS = 60_000;
const POLL_MS = 50;

/** Who takes orders ends first, what keeps them last. */
const STOP_ORDER: PartName[][] = [['api', 'scheduler'], ['writer'], ['rabbitmq', 'mariadb'], ['redis']];

/**
 * Starts a whole local stack: private servers where no outside ones are named, the schema, the api, the writer and the
 * scheduler. Resolves when orders are accepted; from then on every part that dies is started again.
 *
 * @throws StackError when a part does not come up, after everything has been stopped again
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const say = options.say ?? (() => {});
  const dataDirectory = resolve(options.dataDirectory);
  prepareDataDirectory(dataDirectory);
  const unlock = await takeLauncherLock(join(dataDirectory, 'launcher.lock'), say);
  const stack = new LocalStack(dataDirectory, options, unlock);
  try {
    return await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

class LocalStack {
  readonly #data: string;
  readonly #logs: string;
  readonly #options: StackOptions;
  readonly #unlock: () => void;
  readonly #parts = new Map<PartName, Supervisor<OwnedProcess>>();
  readonly #claimedPorts: number[] = [];
  readonly #stopping = new AbortController();
  /** Rejects with the first thing that goes wrong while the stack is starting. */
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};
  #bringingUp: Promise<RunningStack> | undefined;
  #stopped: Promise<void> | undefined;
  /** There from the moment the stack is up. */
  #description: Omit<StackDescription, 'pids'> | undefined;

  constructor(dataDirectory: string, options: StackOptions, unlock: () => void) {
    this.#data = dataDirectory;
    this.#logs = join(dataDirectory, 'logs');
    this.#options = options;
    this.#unlock = unlock;
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {}); // nobody listens any more once the stack is up
  }

  async start(): Promise<RunningStack> {
    const giveUp = () => this.#fail(new StackError('told to stop while starting'));
    this.#options.signal?.addEventListener('abort', giveUp);
    if (this.#options.signal?.aborted) giveUp();
    this.#bringingUp = this.#bringUp();
    try {
      return await Promise.race([this.#failed, this.#bringingUp]);
    } finally {
      this.#options.signal?.removeEventListener('abort', giveUp);
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  pids(): Partial<Record<PartName, number>> {
    const running = [...this.#parts].filter(([, part]) => part.current);
    return Object.fromEntries(running.map(([name, part]) => [name, part.current?.pid]));
  }

  async #bringUp(): Promise<RunningStack> {
    if (this.#options.fresh) forgetData(this.#data);
    rotateLogs(this.#logs);
    const apiPort = await this.#chooseApiPort();
    const redis = await this.#provide('redis');
    const mariadb = await this.#provide('mariadb');
    const rabbitmq = await this.#provide('rabbitmq');
    const environment = {
      ...this.#environment(),
      ...{ REDIS_URL: redis.url, DATABASE_URL: mariadb.url, AMQP_URL: rabbitmq.url },
      ...{ AUTH_SECRET: this.#authSecret(), HOST: '127.0.0.1', PORT: String(apiPort) },
    };
    const { programsDirectory } = this.#options;
    const signal = this.#stopping.signal;
    const surroundings = { environment, logsDirectory: this.#logs, programsDirectory, signal };
    await Promise.all([redis.up, mariadb.up]);
    await runCommand(['migrate'], surroundings);
    await Promise.all([this.#startProgram('api', surroundings), this.#startProgram('writer', surroundings)]);
    await rabbitmq.up;
    await this.#startProgram('scheduler', surroundings);
    const api = `http://127.0.0.1:${apiPort}`;
    await this.#untilOrdersAreAccepted(api);
    const tokens = await mintTokens(surroundings);
    const shop = { api, operatorToken: tokens.operatorToken };
    const demoEvent = this.#options.demo === false ? null : await this.#loadDemo(surroundings, shop);
    const urls = { api, redis: redis.url, database: mariadb.url, amqp: rabbitmq.url };
    const { operatorToken, customerToken } = tokens;
    return this.#becomeUp({ ...urls, operatorToken }, { customerToken, demoEvent });
  }

  #environment(): NodeJS.ProcessEnv {
    return this.#options.environment ?? process.env;
  }

  #authSecret(): string {
    const make = () => randomBytes(48).toString('base64url');
    return this.#environment().AUTH_SECRET || keptSecret(join(this.#data, 'auth-secret'), make);
  }

  async #chooseApiPort(): Promise<number> {
    const wanted = this.#options.port ?? USUAL_API_PORT;
    if (wanted !== 0 && (await claimPort(wanted))) {
      this.#claimedPorts.push(wanted);
      return wanted;
    }
    if (this.#options.port) {
      throw new StackError(`port ${wanted} on 127.0.0.1 is taken; name another with --port, or 0 for any`);
    }
    return this.#claimFreePort();
  }

  async #claimFreePort(): Promise<number> {
    const port = await claimFreePort();
    this.#claimedPorts.push(port);
    return port;
  }

  /** The address of a server at once, and a promise that it is up. */
  async #provide(name: ServerName): Promise<{ url: string; up: Promise<void> }> {
    const kind = SERVER_KINDS[name];
    const outside = this.#environment()[kind.variable];
    if (outside) return { url: outside, up: this.#guarded(requireOutsideServer(kind, outside)) };
    const dataDirectory = join(this.#data, name);
    const port = await this.#claimFreePort();
    const logFile = join(this.#logs, `${name}.log`);
    const start = () => kind.start({ dataDirectory, port, logFile, signal: this.#stopping.signal });
    this.#say(`starting ${name}`);
    return { url: kind.urlOf(dataDirectory, port), up: this.#guarded(this.#startPart(name, start)) };
  }

  #startProgram(name: ProgramName, surroundings: ProgramSurroundings): Promise<void> {
    this.#say(`starting ${name}`);
    return this.#startPart(name, () => startProgram(name, surroundings));
  }

  async #startPart(name: PartName, start: () => Promise<OwnedProcess>): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const say = (line: string) => this.#say(line);
    const part = new Supervisor({ name, start, say, onChange: () => this.#describe() });
    this.#parts.set(name, part);
    const first = await part.start();
    first.exited.then((exit) => {
      this.#fail(
        new StackError(
          `${name} died while the stack was starting (${describeExit(exit)}). ` +
            `The end of ${first.logFile}:${tailOf(first.logFile)}`,
        ),
      );
    });
  }

  /** A failure is noticed at once, not only when somebody comes to wait for the promise. */
  #guarded<T>(work: Promise<T>): Promise<T> {
    work.catch(this.#fail);
    return work;
  }

  async #untilOrdersAreAccepted(api: string): Promise<void> {
    const deadline = Date.now() + API_READY_MS;
    for (;;) {
      const { status, text } = await httpGet(`${api}/readyz`);
      if (status === 200) return;
      this.#stopping.signal.throwIfAborted();
      if (Date.now() > deadline) {
        const log = join(this.#logs, 'api.log');
        const answer = status ? `GET /readyz says ${status} ${text.slice(0, 300)}` : 'it does not answer';
        throw new StackError(`api did not become ready: ${answer}. The end of ${log}:${tailOf(log)}`);
      }
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
  }

  /** The stack is of use without the demo: a failure is told and no more. */
  async #loadDemo(
    surroundings: ProgramSurroundings,
    shop: Pick<StackDescription, 'api' | 'operatorToken'>,
  ): Promise<DemoEvent | null> {
    try {
      this.#say('loading the demo catalogue and its sale event');
      await loadDemoCatalogue(surroundings);
      return await scheduleDemoEvent(shop, Date.now());
    } catch (error) {
      this.#say(`the demo was not loaded: ${messageOf(error)}`);
      return null;
    }
  }

  #becomeUp(
    description: Omit<StackDescription, 'pids'>,
    others: Pick<RunningStack, 'customerToken' | 'demoEvent'>,
  ): RunningStack {
    this.#stopping.signal.throwIfAborted();
    this.#description = description;
    this.#describe();
    for (const part of this.#parts.values()) part.keep();
    const operations = { pids: () => this.pids(), stop: () => this.stop() };
    return {
      ...description,
      ...others,
      ...operations,
      dataDirectory: this.#data,
      logsDirectory: this.#logs,
    };
  }

  #describe(): void {
    if (!this.#description || this.#stopping.signal.aborted) return;
    writeStackFile(this.#stackFile(), { ...this.#description, pids: this.pids() });
  }

  #stackFile(): string {
    return join(this.#data, 'stack.json');
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    for (const names of STOP_ORDER) await Promise.all(names.map((name) => this.#parts.get(name)?.stop()));
    await Promise.allSettled([this.#bringingUp]);
    removeStackFile(this.#stackFile());
    for (const port of this.#claimedPorts) releasePort(port);
    this.#unlock();
    await dismissWatchdog();
  }

  #say(line: string): void {
    this.#options.say?.(line);
  }
}

async function mintTokens(surroundings: ProgramSurroundings) {
  const [operatorToken, customerToken] = await Promise.all([
    mintToken('operator', 'operator', surroundings),
    mintToken('demo', 'customer', surroundings),
  ]);
  return { operatorToken, customerToken };
}
