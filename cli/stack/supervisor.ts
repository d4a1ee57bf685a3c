import { describeExit, type OwnedProcess } from './owned-process.ts';
import { messageOf } from './stack-error.ts';

/** What is kept running, and who hears of it. */
export interface Supervision<P extends OwnedProcess> {
  name: string;
  /** Starts it and resolves when it is up; called again after each death. */
  start: (signal: AbortSignal) => Promise<P>;
  /** One line for people about each death and each failed start. */
  say?: ((line: string) => void) | undefined;
  /** Called when there is another process than before, or none. */
  onChange?: (() => void) | undefined;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;
/** A process that lived this long is taken to be well: the next death is answered fast again. */
const LIVED_MS = 30_000;

/** Keeps one process running: starts it again when it dies, after a pause that doubles while it keeps dying. */
export class Supervisor<P extends OwnedProcess> {
  readonly #supervision: Supervision<P>;
  readonly #stopping = new AbortController();
  #current: P | undefined;
  #starting: Promise<P> | undefined;
  #kept: Promise<void> | undefined;
  #delayMs = FIRST_DELAY_MS;

  constructor(supervision: Supervision<P>) {
    this.#supervision = supervision;
  }

  /** The process that runs now; undefined while it is being started. */
  get current(): P | undefined {
    return this.#current;
  }

  /**
   * The first start; a death is answered only after {@link keep}.
   *
   * @throws what the start throws
   */
  async start(): Promise<P> {
    const starting = this.#supervision.start(this.#stopping.signal);
    this.#starting = starting;
    const process = await starting;
    this.#become(process);
    return process;
  }

  /** From now on every death, one that has happened already included, is answered by a new start. */
  keep(): void {
    this.#kept ??= this.#keepRunning();
  }

  /** Ends the process and its supervision. May be called at any time, and again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([this.#starting]);
    await this.#current?.stop();
    await this.#kept;
    this.#become(undefined);
  }

  async #keepRunning(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      if (this.#current) await this.#untilItDies(this.#current);
      if (!this.#stopping.signal.aborted) await this.#startAgain();
    }
    await this.#current?.stop();
  }

  async #untilItDies(process: P): Promise<void> {
    const since = Date.now();
    const exit = await process.exited;
    if (this.#stopping.signal.aborted) return;
    this.#become(undefined);
    if (Date.now() - since > LIVED_MS) this.#delayMs = FIRST_DELAY_MS;
    this.#say(`${this.#supervision.name} died (${describeExit(exit)}); starting it again`);
  }

  async #startAgain(): Promise<void> {
    await pause(this.#delayMs, this.#stopping.signal);
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    if (this.#stopping.signal.aborted) return;
    try {
      this.#become(await this.#supervision.start(this.#stopping.signal));
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#say(messageOf(error));
    }
  }

  #become(process: P | undefined): void {
    if (this.#current === process) return;
    this.#current = process;
    this.#supervision.onChange?.();
  }

  #say(line: string): void {
    this.#supervision.say?.(line);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
