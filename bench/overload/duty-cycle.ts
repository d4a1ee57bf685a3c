import type { OwnedProcess } from '../../cli/stack/owned-process.ts';

const PERIOD_MS = 20;

/**
 * Lets a process run for a share of the time only, so that a machine that must make the load too can offer several
 * times what it can take. Stopped and continued by signals: no other process pays for it, as it would for a competitor
 * on the same core. Timers are late on a busy machine, so the share is about right; what it was, its CPU time says.
 */
export class DutyCycle {
  readonly #process: OwnedProcess;
  readonly #share: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param share of the time that the process may run, more than 0 and less than 1 */
  constructor(process: OwnedProcess, share: number) {
    this.#process = process;
    this.#share = share;
    this.#run();
  }

  /** The process runs freely from now on. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#process.kill('SIGCONT');
  }

  #run(): void {
    this.#process.kill('SIGCONT');
    this.#timer = setTimeout(() => this.#halt(), PERIOD_MS * this.#share);
  }

  #halt(): void {
    this.#process.kill('SIGSTOP');
    this.#timer = setTimeout(() => this.#run(), PERIOD_MS * (1 - this.#share));
  }
}
