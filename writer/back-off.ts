import { setTimeout as pause } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import { codeOf, describeError } from '../engine/database/refusal.ts';
import type { Logger } from '../engine/runtime/logger.ts';

const DELAYS = new ExponentialBackoff({ initialDelay: 50, maxDelay: 2_000 });

/** Pauses between attempts, longer and longer, and says once why: again only when the reason is another. */
export class BackOff {
  readonly #logger: Logger;
  #next: IBackoff<unknown> | null = null;
  #said: string | null = null;
  #attempts = 0;
  readonly #retries = new Map<string, number>();
  #lastError: string | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get retries(): number {
    return [...this.#retries.values()].reduce((sum, count) => sum + count, 0);
  }

  /** By what MariaDB calls the reason; `other` is what it has no name for. */
  get retriesByReason(): ReadonlyMap<string, number> {
    return this.#retries;
  }

  /** Why the last attempt failed; null once one did not. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** Rejects when `signal` aborts. */
  async afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    const reason = codeOf(error) ?? 'other';
    this.#retries.set(reason, (this.#retries.get(reason) ?? 0) + 1);
    this.#attempts += 1;
    this.#lastError = describeError(error);
    const key = codeOf(error) ?? this.#lastError;
    if (key !== this.#said)
      this.#logger.error({ error: this.#lastError }, 'nothing applied; trying again, for ever');
    this.#said = key;
    this.#next = this.#next ? this.#next.next(undefined) : DELAYS.next();
    await pause(this.#next.duration, undefined, { signal });
  }

  /** Something was done, or there is nothing to do. */
  succeeded(): void {
    if (this.#said !== null) this.#logger.info({ attempts: this.#attempts }, 'applying again');
    this.#next = null;
    this.#said = null;
    this.#lastError = null;
    this.#attempts = 0;
  }
}
