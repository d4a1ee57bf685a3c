import { randomUUID } from 'node:crypto';
import type { Clock } from '../runtime/clock.ts';
import type { Database, Transaction } from './database.ts';
import { releaseLease } from './statements/release-lease.ts';
import { renewLease } from './statements/renew-lease.ts';
import { takeLease } from './statements/take-lease.ts';

/** What only one process at a time needs to do: the names of the leases. */
export type LeaseName = 'writer' | 'scheduler' | 'outbox-publisher';

export interface LeaseOptions {
  readonly name: LeaseName;
  readonly database: Database;
  readonly clock: Clock;
  /** How long it lasts unless it is renewed. The same for all who ask for it by this name. */
  readonly seconds?: number;
}

const SECONDS = 10;
/** Of its length, in ms: early enough that two renewals may fail before the lease lapses. */
const RENEW_AFTER_SHARE = 300;

/** Another process has taken over: this one waits again. Nothing was changed. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * Of many processes the one that works. The lease saves work: it is not what keeps an effect from coming twice. Whoever
 * sleeps with a lease that it takes for its own must find something else in its way: of the writer that is the checkpoint.
 */
export class Lease {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #request;
  #renewedAt = 0;
  #isHeld = false;

  constructor({ name, database, clock, seconds = SECONDS }: LeaseOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#request = { name, holder: randomUUID(), seconds };
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** It is held, and cannot have lapsed since it was last taken or renewed. */
  get isCurrent(): boolean {
    return this.#isHeld && this.#clock.monotonicMs() - this.#renewedAt < this.#request.seconds * 1_000;
  }

  /** Resolves to whether this process is the one that works now. */
  async take(): Promise<boolean> {
    await this.#note(takeLease(this.#database, this.#request));
    return this.#isHeld;
  }

  /** In the transaction that does the work. Throws `LeaseLost`. */
  async renewIn(transaction: Transaction): Promise<void> {
    await this.#renew(transaction);
  }

  /** While there is nothing to do. Throws `LeaseLost`. */
  async renewIfDue(): Promise<void> {
    const renewAfterMs = this.#request.seconds * RENEW_AFTER_SHARE;
    if (this.#isHeld && this.#clock.monotonicMs() - this.#renewedAt < renewAfterMs) return;
    await this.#renew(this.#database.pool);
  }

  /** Another need not wait until it lapses; where that cannot be said, it lapses. */
  async release(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const { name, holder } = this.#request;
    await releaseLease(this.#database, name, holder).catch(() => undefined);
  }

  async #renew(connection: Transaction | Database['pool']): Promise<void> {
    await this.#note(renewLease(connection, this.#request));
    if (!this.#isHeld) throw new LeaseLost(`another process has the lease "${this.#request.name}"`);
  }

  /** It lasts from when it was asked for, at the latest. */
  async #note(asked: Promise<boolean>): Promise<void> {
    const askedAt = this.#clock.monotonicMs();
    this.#isHeld = await asked;
    this.#renewedAt = askedAt;
  }
}
