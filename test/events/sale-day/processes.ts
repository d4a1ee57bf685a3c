import { claimFreePort } from '../../../cli/stack/ports.ts';
import { type StartedProcess, startApi, startProcess } from '../../fixtures/processes.ts';

/** A process of the day by its name; whoever is killed starts again under the same one. */
export type PlaceName =
  | 'api 1'
  | 'api 2'
  | 'writer'
  | 'scheduler 1'
  | 'scheduler 2'
  | 'consumer 1'
  | 'consumer 2';

/** All processes of the day, on the same servers: two apis, a writer, two who announce, two who carry out. */
export class Processes {
  readonly urls: string[] = [];
  readonly killed: PlaceName[] = [];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #running = new Map<PlaceName, StartedProcess>();

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  async start(): Promise<void> {
    for (const name of ['api 1', 'api 2'] as const) {
      // None that an outgoing connection may be given while the api is away.
      const api = await startApi({ ...this.#environment, PORT: String(await claimFreePort()) });
      this.urls.push(api.url);
      this.#running.set(name, api);
    }
    for (const name of ['writer', 'scheduler 1', 'scheduler 2', 'consumer 1', 'consumer 2'] as const)
      this.#start(name);
  }

  /** SIGKILL, and again; resolves when it is up. */
  async kill(name: PlaceName): Promise<void> {
    this.killed.push(name);
    await this.#running.get(name)!.stop('SIGKILL');
    this.#start(name);
    const isUp = ({ msg }: { msg: string }) =>
      ['listening', 'started', 'draining the journal into MariaDB'].includes(msg);
    await this.#running.get(name)!.waitForLog(isUp);
  }

  /** SIGTERM; resolves to each one's exit code. */
  async stop(): Promise<Record<string, number | null>> {
    const stopped = [...this.#running].map(async ([name, one]) => [name, await one.stop()] as const);
    return Object.fromEntries(await Promise.all(stopped));
  }

  /** Whatever a failed test has left running. */
  killLeftovers(): void {
    for (const { child } of this.#running.values()) child.kill('SIGKILL');
  }

  #start(name: PlaceName): void {
    this.#running.set(
      name,
      startProcess(wordsOf(name), { ...this.#environment, ...this.#surroundings(name) }),
    );
  }

  #surroundings(name: PlaceName): NodeJS.ProcessEnv {
    if (name.startsWith('api')) return { PORT: new URL(this.urls[Number(name.slice(4)) - 1]!).port };
    if (name.startsWith('scheduler')) return { SCHEDULER_ROLES: 'announce,publish' };
    return name.startsWith('consumer') ? { SCHEDULER_ROLES: 'consume' } : {};
  }
}

function wordsOf(name: PlaceName): string[] {
  if (name.startsWith('api')) return ['api'];
  return name === 'writer' ? ['writer'] : ['scheduler'];
}
