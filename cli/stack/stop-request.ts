import { findNpm } from './npm-parent.ts';
import { isRunning } from './process-identity.ts';
import { killAllWatched } from './watchdog.ts';

/** npm passes a Ctrl-C on that the terminal has already sent to everyone: that is one wish, not two. */
const SAME_WISH_MS = 1_000;
const NPM_POLL_MS = 500;

/** Turns the ways of telling a foreground process to stop into one promise; a second Ctrl-C ends it by force. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #say: (line: string) => void;
  #firstAt = 0;
  /** Resolves when a stop is wanted. */
  readonly requested: Promise<void>;

  /** @param say told in a line that it is stopping */
  constructor(say: (line: string) => void) {
    this.#say = say;
    this.requested = new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve());
    });
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => this.#wanted());
    this.#followNpm();
  }

  /** Aborted when a stop is wanted. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #wanted(): void {
    if (!this.signal.aborted) {
      this.#firstAt = Date.now();
      this.#say('stopping (again to force)');
      this.#controller.abort();
    } else if (Date.now() - this.#firstAt > SAME_WISH_MS) {
      this.#force();
    }
  }

  #force(): never {
    this.#say('stopping by force');
    killAllWatched();
    process.exit(130); // the watchdog removes what is left
  }

  /** Started by npm, and npm was killed: nobody is left to press Ctrl-C. */
  #followNpm(): void {
    const npm = findNpm();
    if (!npm) return;
    const timer = setInterval(() => {
      if (isRunning(npm)) return;
      clearInterval(timer);
      if (!this.signal.aborted) this.#wanted();
    }, NPM_POLL_MS);
    timer.unref();
  }
}
