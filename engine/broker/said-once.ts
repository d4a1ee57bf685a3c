import type { Logger } from '../runtime/logger.ts';

/** Tells the log of a state once per change, however often it is found to be so. */
export class SaidOnce {
  readonly #logger: Logger;
  #said: string | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** All is well, now or again. */
  isWell(message: string): void {
    if (this.#said !== message) this.#logger.info(message);
    this.#said = message;
  }

  /** Something is wrong; said again only when the reason is another. */
  isNot(message: string, { message: error }: Error): void {
    const said = `${message}: ${error}`;
    if (this.#said !== said) this.#logger.warn({ error }, message);
    this.#said = said;
  }
}
