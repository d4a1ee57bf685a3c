import type { OwnedProcess } from '../../../cli/stack/owned-process.ts';
import { type ProgramName, startProgram } from '../../../cli/stack/programs.ts';
import { tailOf } from '../../../cli/stack/stack-error.ts';

export interface ProcessPlan {
  readonly name: string;
  readonly program: ProgramName;
  readonly environment: NodeJS.ProcessEnv;
  readonly logsDirectory: string;
  /** Hears of an end that nobody asked for, with the last lines of the log. */
  readonly onDeath: (description: string) => void;
}

/** As the local stack does with a child that dies. */
const RESTART_MS = 300;

/** An api or a writer, as it is compiled in dist/; one that dies by itself is started again. */
export class RiggedProcess {
  readonly #plan: ProcessPlan;
  #owned: OwnedProcess | null = null;
  #isWanted = false;

  constructor(plan: ProcessPlan) {
    this.#plan = plan;
  }

  async start(): Promise<void> {
    this.#isWanted = true;
    const { name, program, environment, logsDirectory } = this.#plan;
    const owned = await startProgram(program, { environment, logsDirectory });
    this.#owned = owned;
    void owned.exited.then(({ code, signal }) => {
      if (!this.#isWanted || this.#owned !== owned) return;
      this.#plan.onDeath(`${name} ended with ${signal ?? code}:${tailOf(owned.logFile)}`);
      setTimeout(() => this.#isWanted && void this.start(), RESTART_MS);
    });
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    this.#owned?.kill('SIGKILL');
    await this.#owned?.exited;
  }

  /** SIGTERM; resolves to its exit code. */
  async stop(): Promise<number | null> {
    this.#isWanted = false;
    this.resume();
    await this.#owned?.stop();
    return (await this.#owned?.exited)?.code ?? null;
  }

  pause(): void {
    this.#owned?.kill('SIGSTOP');
  }

  resume(): void {
    this.#owned?.kill('SIGCONT');
  }

  /** The last lines of its log. */
  get lastLines(): string {
    return this.#owned ? tailOf(this.#owned.logFile) : ' it was never started';
  }
}
